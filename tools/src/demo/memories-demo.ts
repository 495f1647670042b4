import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ApiClient } from './api-client.ts';
import type { Selection } from './import-folder.ts';
import { oneLine } from './one-line.ts';

const FILES = 300;
const MEMORIES = 1_000;
const ADDED_AT_ONCE = 100;
const HITS = 2;
/** A paragraph that says something, and is no table and no code. */
const PARAGRAPH = { minCharacters: 80, maxCharacters: 1_500 };

const QUESTIONS = [
  'How do I install the package?',
  'Which license applies?',
  'What happens when an error is thrown?',
];

interface Hit {
  readonly content: string;
  readonly explanation: {
    readonly score: number;
    readonly keyword: { readonly score: number } | null;
    readonly vector: { readonly cosine: number } | null;
    readonly boost: number;
  };
}

export interface MemoriesDemoReport {
  readonly added: number;
  /** Of the same paragraphs, given once more. */
  readonly addedAgain: number;
  readonly questions: readonly {
    readonly query: string;
    readonly ms: number;
    readonly hits: readonly Hit[];
  }[];
}

/** Remembers paragraphs of the documents, twice, and asks three questions. */
export async function demonstrateMemories(
  api: ApiClient,
  workspaceId: string,
  selection: Selection,
): Promise<MemoriesDemoReport> {
  const paragraphs = await paragraphsOf(selection);
  const added = await addAll(api, workspaceId, paragraphs);
  const addedAgain = await addAll(api, workspaceId, paragraphs);
  const questions: MemoriesDemoReport['questions'][number][] = [];
  for (const query of QUESTIONS) {
    const startedAt = performance.now();
    const { hits } = await api.json<{ hits: Hit[] }>('POST', '/memories/query', {
      json: { workspaceId, query, limit: HITS },
    });
    questions.push({ query, ms: performance.now() - startedAt, hits });
  }
  return { added, addedAgain, questions };
}

export function formatMemoriesDemo({ added, addedAgain, questions }: MemoriesDemoReport): string {
  return [
    '',
    `  Memories: ${added.toLocaleString('en')} paragraphs of the documents were remembered; of the same ones, given again, ${addedAgain}.`,
    ...questions.flatMap(({ query, ms, hits }) => [
      '',
      `  ${query} (${ms.toFixed(0)} ms)`,
      ...hits.flatMap((it) => [`    ${oneLine(it.content)}`, `      ${explain(it.explanation)}`]),
    ]),
  ].join('\n');
}

async function addAll(api: ApiClient, workspaceId: string, contents: readonly string[]): Promise<number> {
  let created = 0;
  for (let at = 0; at < contents.length; at += ADDED_AT_ONCE) {
    const { items } = await api.json<{ items: { status: string }[] }>('POST', '/memories/add', {
      json: { workspaceId, contents: contents.slice(at, at + ADDED_AT_ONCE) },
    });
    created += items.filter((it) => it.status === 'created').length;
  }
  return created;
}

async function paragraphsOf({ folder, paths }: Selection): Promise<string[]> {
  const paragraphs = new Set<string>();
  for (const path of paths.slice(0, FILES)) {
    const text = await readFile(join(folder, path), 'utf8');
    for (const it of text.split(/\n\s*\n/)) {
      const paragraph = it.replaceAll('\0', '').trim();
      const { minCharacters, maxCharacters } = PARAGRAPH;
      const isProse = /^[A-Za-z]/.test(paragraph) && !paragraph.includes('```');
      if (isProse && paragraph.length >= minCharacters && paragraph.length <= maxCharacters) {
        paragraphs.add(paragraph);
      }
    }
  }
  return [...paragraphs].slice(0, MEMORIES);
}

function explain({ score, keyword, vector, boost }: Hit['explanation']): string {
  const words = keyword ? `words ${keyword.score.toFixed(1)}` : 'no word in common';
  const meaning = vector ? `cosine ${vector.cosine.toFixed(2)}` : 'not embedded yet';
  return `score ${score.toFixed(2)}: ${words}, ${meaning}, times ${boost.toFixed(2)} for use and age`;
}
