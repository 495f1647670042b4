import type { RetrievalPlanName } from '@peregrine/retrieval';

import { quantile } from '../../harness/statistics.ts';
import { type Column, cpuOf, recallOfRuns, type Row, wallOf } from '../measure/matrix.ts';
import { FLOOR } from '../world/shape.ts';

/** What a policy did with some questions. */
export interface Judged {
  readonly meanMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly cpuMs: number;
  readonly meanRecall: number;
  /** Share of the answers below the floor. */
  readonly under: number;
  /** Share of the questions that took both twice as long and five milliseconds longer than by the default plan. */
  readonly regressed: number;
}

/** Chooses how a question is answered. */
export type Policy = (row: Row, index: number) => Column;

/** What the library does without a planner while the codes are in memory. */
export const DEFAULT_PLAN: RetrievalPlanName = 'cached-partial';
const REGRESSION = { times: 2, moreMs: 5 } as const;

/** @throws {RangeError} when a row has no such runs */
export function cellOf(row: Row, column: Column): { wallMs: number; cpuMs: number; recall: number } {
  const runs = row.runs[column];
  if (!runs) throw new RangeError(`${column} does not answer a question of mode ${row.mode}`);
  return { wallMs: wallOf(runs), cpuMs: cpuOf(runs), recall: recallOfRuns(runs) };
}

export function judge(rows: readonly Row[], policy: Policy): Judged {
  const cells = rows.map((row, index) => cellOf(row, policy(row, index)));
  const wall = cells.map((it) => it.wallMs);
  const regressed = rows.filter((row, index) => {
    const usualMs = cellOf(row, DEFAULT_PLAN).wallMs;
    const ms = wall[index] ?? 0;
    return ms > REGRESSION.times * usualMs && ms > usualMs + REGRESSION.moreMs;
  });
  return {
    meanMs: mean(wall),
    p95Ms: quantile(wall, 0.95),
    p99Ms: quantile(wall, 0.99),
    cpuMs: mean(cells.map((it) => it.cpuMs)),
    meanRecall: mean(cells.map((it) => it.recall)),
    under: cells.filter((it) => it.recall < FLOOR).length / rows.length,
    regressed: regressed.length / rows.length,
  };
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, it) => sum + it, 0) / values.length;
