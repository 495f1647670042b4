import type { Client } from 'pg';

import type { WorkloadText } from './fixture.ts';

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

/** Statements of fractions of a millisecond are run until they have taken so long together: one pause is not their time. */
const SHORT_TOTAL_MS = 40;
const SHORT_RUNS = 60;
/** A statement that takes as long is run once: nothing disturbs it by a third. */
const LONG_MS = 3_000;
/** What takes longer counts as so long. */
const TIMEOUT_MS = 60_000;

/** @param runs at least so many, of which the best counts: the others were disturbed by something */
export async function measureStatements(
  client: Client,
  statements: readonly WorkloadText[],
  runs: number,
): Promise<readonly StatementMeasure[]> {
  await client.query(`SET statement_timeout = ${TIMEOUT_MS}`);
  const measured: StatementMeasure[] = [];
  for (const it of statements) measured.push(await measureStatement(client, it, runs));
  await client.query('RESET statement_timeout');
  return measured;
}

/** A statement that seems slower by this part is measured again. */
const SUSPECT = 0.15;
const MORE_ROUNDS = 3;

/** The same afterwards: what seems slower than before is measured again a while later, as a machine may be busy for seconds. */
export async function measureAgain(
  client: Client,
  statements: readonly WorkloadText[],
  before: readonly StatementMeasure[],
  runs: number,
): Promise<readonly StatementMeasure[]> {
  let measured = await measureStatements(client, statements, runs);
  for (let round = 0; round < MORE_ROUNDS; round++) {
    const isSuspect = ({ ms }: StatementMeasure, i: number) => ms > (before[i]?.ms ?? 0) * (1 + SUSPECT);
    const suspects = new Set(measured.filter(isSuspect).map((it) => it.name));
    if (suspects.size === 0) break;
    const texts = statements.filter((it) => suspects.has(it.name));
    const again = new Map((await measureStatements(client, texts, runs)).map((it) => [it.name, it]));
    measured = measured.map((it) => {
      const other = again.get(it.name);
      return other !== undefined && other.ms < it.ms ? other : it;
    });
  }
  return measured;
}

async function measureStatement(
  client: Client,
  { name, text }: WorkloadText,
  runs: number,
): Promise<StatementMeasure> {
  let best: StatementMeasure | undefined;
  let totalMs = 0;
  for (let run = 0; run < runs || (totalMs < SHORT_TOTAL_MS && run < SHORT_RUNS); run++) {
    const one = await runOnce(client, name, text);
    totalMs += one.ms;
    if (best === undefined || one.ms < best.ms) best = one;
    if (one.ms > LONG_MS) break;
  }
  return best ?? { name, cost: Number.NaN, buffers: Number.NaN, ms: Number.NaN };
}

async function runOnce(client: Client, name: string, text: string): Promise<StatementMeasure> {
  // Without the clock of each node, which costs more than cheap nodes do.
  const explained = await explain(client, `ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON`, text).catch(
    async (error: unknown) => {
      if ((error as { code?: string }).code !== CANCELLED) throw error;
      return { ...(await explain(client, 'FORMAT JSON', text)), 'Execution Time': TIMEOUT_MS };
    },
  );
  const { Plan: plan } = explained;
  return {
    name,
    cost: plan['Total Cost'],
    buffers: (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0),
    ms: explained['Execution Time'] ?? Number.NaN,
  };
}

const CANCELLED = '57014';

async function explain(client: Client, options: string, text: string) {
  const { rows } = await client.query<ExplainedPlan>(`EXPLAIN (${options}) ${text}`);
  const explained = rows[0]?.['QUERY PLAN'][0];
  if (explained === undefined) throw new Error('EXPLAIN has not answered with a plan');
  return explained;
}

/** How many times as long the statement takes that suffered most; shorter ones than `measurableMs` do not count. */
export function slowestRatio(
  before: readonly StatementMeasure[],
  after: readonly StatementMeasure[],
  measurableMs: number,
): number {
  return Math.max(
    ...before.map((it, i) => {
      const ms = after[i]?.ms ?? Number.NaN;
      return Math.max(it.ms, ms) < measurableMs ? 1 : ms / it.ms;
    }),
  );
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
