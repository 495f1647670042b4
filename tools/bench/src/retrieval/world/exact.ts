import type { Chunks } from './chunks.ts';
import { type Graph, walk } from './graph.ts';
import { passes, type Question } from './questions.ts';
import { BOOST, LIMIT } from './shape.ts';
import { dot, vectorAt } from './vectors.ts';

/** What is right: every chunk compared. */
export interface ExactAnswer {
  /** How many chunks pass the filter, and in mode `within` are reached. */
  readonly passing: number;
  readonly twoHopSize: number;
  /** Score of the last one that belongs to the answer; -Infinity when fewer than `LIMIT` pass. */
  readonly threshold: number;
}

export interface ExactTask {
  readonly kind: 'exact';
  readonly questions: readonly Question[];
}

/** Equal scores but for rounding: which of them is found does not matter. */
const SAME = 1e-6;

export function answerExactly(
  chunks: Chunks,
  graph: Omit<Graph, 'popular'>,
  question: Question,
): ExactAnswer {
  const reached = question.mode === 'plain' ? new Map<number, number>() : walk(graph, question.seeds);
  const places = question.mode === 'within' ? [...reached.keys()] : chunks.type.keys();
  const scores: number[] = [];
  let passing = 0;
  for (const place of places) {
    if (!passes(chunks, question.filter, place)) continue;
    passing++;
    keepBest(scores, scoreOf(chunks, question, reached, place));
  }
  return {
    passing,
    twoHopSize: reached.size,
    threshold: passing < LIMIT ? -Infinity : (scores.at(-1) ?? -Infinity),
  };
}

/**
 * The share of the exact answer that was found. Scores are taken anew from the vectors: nothing that the library says of its hits counts.
 *
 * @param found places, each once
 */
export function recallOf(
  chunks: Chunks,
  graph: Omit<Graph, 'popular'>,
  question: Question,
  exact: ExactAnswer,
  found: readonly number[],
): number {
  const wanted = Math.min(LIMIT, exact.passing);
  if (wanted === 0) return 1;
  const reached = question.mode === 'plain' ? new Map<number, number>() : walk(graph, question.seeds);
  const right = [...new Set(found)].filter((place) => {
    const isAllowed = question.mode !== 'within' || reached.has(place);
    const isGood = scoreOf(chunks, question, reached, place) >= exact.threshold - SAME;
    return isAllowed && isGood && passes(chunks, question.filter, place);
  });
  return Math.min(1, right.length / wanted);
}

function scoreOf(
  chunks: Chunks,
  { mode, vector }: Question,
  reached: ReadonlyMap<number, number>,
  place: number,
): number {
  const bonus = mode === 'boost' ? BOOST * (reached.get(place) ?? 0) : 0;
  return dot(vector, vectorAt(chunks, place)) + bonus;
}

/** Into a list of the best, the best first, by insertion: nearly all scores are refused at once. */
function keepBest(scores: number[], score: number): void {
  if (scores.length === LIMIT && score <= (scores.at(-1) ?? 0)) return;
  const at = scores.findIndex((it) => it < score);
  scores.splice(at < 0 ? scores.length : at, 0, score);
  if (scores.length > LIMIT) scores.pop();
}
