import { setTimeout as delay } from 'node:timers/promises';

import type { ApiClient } from './api-client.ts';
import type { ImportedFile } from './import-folder.ts';
import { oneLine } from './one-line.ts';

const HITS = 2;
const POLL_MS = 200;
/** So many files, spread over the import, say how far the ingest is. */
const WATCHED_FILES = 20;
/** A file of fewer bytes may hold nothing that could be found. */
const SMALLEST_WATCHED_BYTES = 500;

const QUESTIONS = ['How do I install the package?', 'Which options change how errors are handled?'];

interface Hit {
  readonly chunkId: string;
  readonly documentId: string;
  readonly place: number;
  readonly text: string;
  readonly score: number;
  readonly cosine: number;
  readonly keyword: number | null;
  readonly proximity: number;
}

interface Answer {
  readonly hits: readonly Hit[];
  readonly explanation: {
    readonly plan: string;
    readonly status: 'complete' | 'certified' | 'uncertified';
    readonly z: number | null;
    readonly compared: number;
  };
}

interface AskedQuestion extends Answer {
  readonly text: string;
  readonly mode: 'plain' | 'boost';
  /** Until the answer was there, over HTTP. */
  readonly ms: number;
}

export interface RetrievalDemoReport {
  readonly questions: readonly AskedQuestion[];
}

/** Asks for passages of the files by words and vector, then once more with what is linked to the best one preferred. */
export async function demonstrateRetrieval(
  api: ApiClient,
  workspaceId: string,
): Promise<RetrievalDemoReport> {
  const questions: AskedQuestion[] = [];
  for (const text of QUESTIONS) {
    const plain = await ask(api, { workspaceId, text, mode: 'plain' });
    const [best] = plain.hits;
    questions.push(plain);
    if (best) questions.push(await ask(api, { workspaceId, text, mode: 'boost', seeds: [best.chunkId] }));
  }
  return { questions };
}

export function formatRetrievalDemo({ questions }: RetrievalDemoReport): string {
  return [
    '',
    '  Passages: of the files, by words, vector and links; with the plan, how certain the answer is, and its time.',
    ...questions.flatMap((it) => [
      '',
      `  ${it.mode === 'plain' ? it.text : '… and near the best of these'} (${it.ms.toFixed(0)} ms; ${certificate(it)})`,
      ...it.hits.flatMap((hit) => [`    ${oneLine(hit.text)}`, `      ${scores(hit)}`]),
    ]),
  ].join('\n');
}

function certificate({ explanation: { plan, status, z, compared } }: Answer): string {
  return `plan ${plan}, ${status}, ${z === null ? 'everything compared' : `z ${z.toFixed(1)}`}, ${compared} embeddings`;
}

function scores({ score, keyword, cosine, proximity }: Hit): string {
  const words = keyword === null ? 'no word in common' : `words ${keyword.toFixed(1)}`;
  const near = proximity > 0 ? `, proximity ${proximity.toFixed(2)}` : '';
  return `score ${score.toFixed(2)}: ${words}, cosine ${cosine.toFixed(2)}${near}`;
}

async function ask(
  api: ApiClient,
  {
    workspaceId,
    text,
    mode,
    seeds = [],
  }: Pick<AskedQuestion, 'text' | 'mode'> & { workspaceId: string; seeds?: string[] },
): Promise<AskedQuestion> {
  const startedAt = performance.now();
  const { hits, explanation } = await api.json<Answer>('POST', '/retrieval/query', {
    json: { workspaceId, text, mode, seeds, limit: HITS, explain: true },
  });
  return { text, mode, ms: performance.now() - startedAt, hits, explanation };
}

/** Waits until the workers have made passages of the files. */
export async function awaitIngest(
  api: ApiClient,
  workspaceId: string,
  files: readonly ImportedFile[],
): Promise<void> {
  const large = files.filter((it) => it.sizeBytes >= SMALLEST_WATCHED_BYTES);
  const every = Math.ceil(large.length / WATCHED_FILES);
  for (const { id } of large.filter((_, at) => at % every === 0)) {
    while (!(await hasPassages(api, workspaceId, id))) await delay(POLL_MS);
  }
}

async function hasPassages(api: ApiClient, workspaceId: string, documentId: string): Promise<boolean> {
  const { items } = await api.json<{ items: unknown[] }>(
    'GET',
    `/retrieval/documents/${documentId}/chunks?limit=1&workspaceId=${workspaceId}`,
  );
  return items.length > 0;
}
