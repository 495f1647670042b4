import { type AdvisorClient } from '../advisor/advisor.options.js';
import { type PlanNode, usedIndexNames } from '../advisor/plan-node.js';
import { type WorkloadStatement } from '../advisor/advice.js';
import { analyse } from '../analysis/analyse.js';
import { problemText } from '../execution/problem-text.js';
import { failureOf } from './index-failure.js';

/** A statement before and after, in milliseconds on the server, the best of the rounds. */
export interface TrialMeasurement {
  readonly statement: string;
  readonly calls: number;
  /** Null where it could not be run; `problem` says why. */
  readonly beforeMs: number | null;
  readonly afterMs: number | null;
  readonly problem?: string;
}

export type Timing = { readonly ms: number } | { readonly problem: string };

export interface ReplayOptions {
  /** The best one counts: what disturbs a statement only ever makes it slower. */
  readonly rounds: number;
  readonly timeoutMs: number;
}

/**
 * Runs statements of the workload and says how long the server took. Only what reads is run, in a transaction that can not
 * write, and no row leaves the server.
 */
export class StatementReplay {
  constructor(
    private readonly client: Pick<AdvisorClient, 'query'>,
    private readonly options: ReplayOptions,
  ) {}

  async time(statement: WorkloadStatement): Promise<Timing> {
    const problem = problemOf(statement);
    if (problem !== undefined) return { problem };
    let best = Infinity;
    try {
      for (let round = 0; round < this.options.rounds; round++) {
        best = Math.min(best, await this.#run(statement));
      }
    } catch (error) {
      // At least so long: enough to see that an index helps, or that it does harm.
      if (failureOf(error) === 'cancelled') return { ms: this.options.timeoutMs };
      return { problem: problemText(error) };
    }
    return { ms: best };
  }

  /** Names of the indexes in its plan; none where it has no plan. */
  async indexesOf({ text, parameters = [] }: WorkloadStatement): Promise<ReadonlySet<string>> {
    await this.client.query('BEGIN READ ONLY');
    try {
      const { rows } = await this.client.query(`EXPLAIN (FORMAT JSON) ${text}`, parameters);
      const [{ 'QUERY PLAN': plans }] = rows as [{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }];
      return usedIndexNames(plans[0].Plan);
    } finally {
      await this.client.query('ROLLBACK');
    }
  }

  async #run({ text, parameters = [] }: WorkloadStatement): Promise<number> {
    await this.client.query('BEGIN READ ONLY');
    try {
      await this.client.query(`SELECT set_config('statement_timeout', $1, true)`, [
        `${Math.ceil(this.options.timeoutMs)}ms`,
      ]);
      const { rows } = await this.client.query(
        // The protocol that takes one statement and no more.
        { text: `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`, queryMode: 'extended' },
        parameters,
      );
      const [{ 'QUERY PLAN': plan }] = rows as [{ 'QUERY PLAN': readonly [{ 'Execution Time': number }] }];
      return plan[0]['Execution Time'];
    } finally {
      await this.client.query('ROLLBACK');
    }
  }
}

/** Why a statement is not run. */
function problemOf({ text, parameters = [] }: WorkloadStatement): string | undefined {
  try {
    const { kind, parameterCount } = analyse(text);
    if (kind !== 'select') return 'only statements that read are run';
    if (parameterCount > parameters.length) return 'the values of its parameters are not known';
    return undefined;
  } catch (error) {
    return problemText(error);
  }
}

export async function timeAll(
  replay: StatementReplay,
  statements: readonly WorkloadStatement[],
): Promise<Timing[]> {
  const timings: Timing[] = [];
  // One after the other: beside each other they would measure each other.
  for (const statement of statements) timings.push(await replay.time(statement));
  return timings;
}

export function pair(
  statements: readonly WorkloadStatement[],
  before: readonly Timing[],
  after: readonly Timing[],
): TrialMeasurement[] {
  return statements.map((statement, index) => {
    const [first, second] = [before[index], after[index]];
    const problem = [first, second].find((it) => it && 'problem' in it);
    return {
      statement: nameOf(statement, index),
      calls: statement.calls,
      beforeMs: first && 'ms' in first ? first.ms : null,
      afterMs: second && 'ms' in second ? second.ms : null,
      ...(problem && 'problem' in problem && { problem: problem.problem }),
    };
  });
}

export const nameOf = ({ id }: WorkloadStatement, index: number) => id ?? `${index + 1}`;
