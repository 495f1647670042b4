import type { Client } from 'pg';

import type { PagilaStatement } from './pagila.ts';

/** One statement, as it is now. */
export interface StatementMeasure {
  readonly name: string;
  /** Total cost of the plan. */
  readonly cost: number;
  /** Pages that the execution asked for, from the cache or not. */
  readonly buffers: number;
  /** Best of all runs. */
  readonly ms: number;
}

interface ExplainedPlan {
  readonly 'QUERY PLAN': readonly [
    {
      readonly 'Execution Time'?: number;
      readonly Plan: {
        readonly 'Total Cost': number;
        readonly 'Shared Hit Blocks'?: number;
        readonly 'Shared Read Blocks'?: number;
      };
    },
  ];
}

/** @param runs of which the best counts: the others were disturbed by something */
export async function measureStatements(
  client: Client,
  statements: readonly PagilaStatement[],
  runs: number,
): Promise<readonly StatementMeasure[]> {
  const measured: StatementMeasure[] = [];
  for (const { name, text } of statements) {
    const samples: StatementMeasure[] = [];
    for (let run = 0; run < runs; run++) {
      const { rows } = await client.query<ExplainedPlan>(
        // Without the clock of each node, which costs more than cheap nodes do.
        `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`,
      );
      const explained = rows[0]?.['QUERY PLAN'][0];
      const plan = explained?.Plan;
      samples.push({
        name,
        cost: plan?.['Total Cost'] ?? Number.NaN,
        buffers: (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0),
        ms: explained?.['Execution Time'] ?? Number.NaN,
      });
    }
    const [best] = samples.toSorted((a, b) => a.ms - b.ms);
    if (best !== undefined) measured.push(best);
  }
  return measured;
}

export const sumOf = (measures: readonly StatementMeasure[], field: 'cost' | 'buffers' | 'ms'): number =>
  measures.reduce((sum, it) => sum + it[field], 0);

/** Geometric mean of after / before. */
export function relativeTime(
  before: readonly StatementMeasure[],
  after: readonly StatementMeasure[],
): number {
  const logs = before.map((it, i) => Math.log((after[i]?.ms ?? Number.NaN) / it.ms));
  return Math.exp(logs.reduce((sum, it) => sum + it, 0) / logs.length);
}
