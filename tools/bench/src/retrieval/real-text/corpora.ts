import { readFileSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Passages, and what people ask of them. */
export interface TextCorpus {
  readonly name: string;
  readonly passages: readonly string[];
  readonly questions: readonly string[];
}

const EVALUATION = new URL('../../../data/memory-eval/', import.meta.url);
const PACKAGES = join(import.meta.dirname, '../../../../../node_modules');
const SIZES = { whole: { passages: 5_000, questions: 300 }, quick: { passages: 600, questions: 40 } };
const LEAST_CHARACTERS = 200;
/** Every so many passages, one is asked for by its first words and not stored. */
const HELD_OUT = 15;
const WORDS_OF_A_QUESTION = 12;

/** Sections of manuals, and questions of people who read them. */
export function manuals(isQuick: boolean): TextCorpus {
  const size = isQuick ? SIZES.quick : SIZES.whole;
  return {
    name: 'manuals',
    passages: textsOf('docs.jsonl.gz').slice(0, size.passages),
    questions: textsOf('queries.jsonl.gz').slice(0, size.questions),
  };
}

/** The Markdown of the installed packages, which the demo imports, in paragraphs; what is asked is how others of them begin. */
export async function packageDocuments(isQuick: boolean): Promise<TextCorpus> {
  const size = isQuick ? SIZES.quick : SIZES.whole;
  const paths: string[] = [];
  for await (const path of glob('*/*.md', { cwd: PACKAGES })) paths.push(path);
  const paragraphs = new Set<string>();
  for (const path of paths.sort()) {
    const text = await readFile(join(PACKAGES, path), 'utf8');
    for (const it of text.split(/\n\s*\n/)) if (it.length >= LEAST_CHARACTERS) paragraphs.add(it.trim());
    if (paragraphs.size > size.passages + size.questions) break;
  }
  const all = [...paragraphs];
  const asked = all.filter((_, at) => at % HELD_OUT === 0);
  return {
    name: 'Markdown of packages',
    passages: all.filter((_, at) => at % HELD_OUT !== 0).slice(0, size.passages),
    questions: asked.slice(0, size.questions).map(firstWords),
  };
}

const firstWords = (text: string): string => text.split(/\s+/).slice(0, WORDS_OF_A_QUESTION).join(' ');

function textsOf(name: string): string[] {
  return gunzipSync(readFileSync(new URL(name, EVALUATION)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text);
}
