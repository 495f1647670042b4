import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface EvaluationMemory {
  readonly id: string;
  readonly text: string;
}

export interface EvaluationQuery {
  readonly id: string;
  readonly text: string;
  /** Ids of the memories that answer it. */
  readonly rel: readonly string[];
}

const FOLDER = new URL('../../../tools/bench/data/memory-eval/', import.meta.url);

/** 3,509 passages of manuals, and 1,285 questions about them; see the README beside the data. */
export function loadEvaluation(): { memories: EvaluationMemory[]; queries: EvaluationQuery[] } {
  return { memories: readLines('docs.jsonl.gz'), queries: readLines('queries.jsonl.gz') };
}

function readLines<T>(name: string): T[] {
  const text = gunzipSync(readFileSync(new URL(name, FOLDER))).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
