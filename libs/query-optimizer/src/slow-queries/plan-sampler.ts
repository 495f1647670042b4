import { DatabaseError } from 'pg';
import { type Statement, type StatementKind } from '../analysis/statement.js';
import { type Ask, type OwnStatements } from '../execution/own-statements.js';
import { problemText } from '../execution/problem-text.js';
import { type Plan, planFrom } from './plan.js';

/** A run of a statement that can be explained, and run again if it only reads. */
export interface CapturedRun {
  readonly statement: Statement;
  /** Null where they are not known: statements of other programs. */
  readonly parameters: readonly unknown[] | null;
  readonly durationMs: number;
  /** Of the monotonic clock, milliseconds. */
  readonly at: number;
}

export interface PlanSample {
  /** Null when PostgreSQL did not explain it: see `problem`. */
  readonly plan: Plan | null;
  /** For parameters that are not known. */
  readonly isGeneric: boolean;
  /** Why there is no plan, or why it was not executed (ANALYZE); null when all went well. */
  readonly problem: string | null;
}

export interface PlanSamplerInput {
  readonly own: OwnStatements;
  readonly timeoutMs: number;
  /** Whether reads may be executed once more. */
  readonly analyse: boolean;
  /** It reads, calls nothing that has effects, and what it calls is known. */
  isRepeatable(statement: Statement): boolean;
}

const EXPLAINED: ReadonlySet<StatementKind> = new Set(['select', 'insert', 'update', 'delete', 'merge']);
const GENERIC = 'peregrine_generic_plan';
const QUERY_CANCELED = '57014';

/** Whether PostgreSQL has plans for such statements. */
export function hasPlan({ kind, usesTemporaryTables }: Statement): boolean {
  return EXPLAINED.has(kind) && !usesTemporaryTables;
}

/**
 * Asks PostgreSQL for the plans of captured statements, in a read-only transaction with a timeout: of reads with ANALYZE, so
 * that they run once more, of everything else as estimates. Never throws for what PostgreSQL refuses.
 */
export class PlanSampler {
  constructor(private readonly input: PlanSamplerInput) {}

  /** @param analyse false: as an estimate only */
  async sample(run: CapturedRun, analyse = true): Promise<PlanSample> {
    const { statement, parameters } = run;
    const isGeneric = parameters === null && statement.parameterCount > 0;
    try {
      if (isGeneric) return { plan: await this.#generic(statement), isGeneric, problem: null };
      const refusal = analyse ? this.#reasonNotToAnalyse(run) : null;
      if (!analyse || refusal) return { plan: await this.#explain(run, false), isGeneric, problem: refusal };
      return await this.#analysed(run);
    } catch (error) {
      return { plan: null, isGeneric, problem: problemText(error) };
    }
  }

  #reasonNotToAnalyse({ statement, durationMs }: CapturedRun): string | null {
    const { analyse, timeoutMs } = this.input;
    if (!analyse) return 'not executed: the option sample.analyse is off';
    if (!this.input.isRepeatable(statement)) return 'not executed: it may do more than read';
    return durationMs > timeoutMs ? `not executed: it takes more than ${timeoutMs} ms` : null;
  }

  async #analysed(run: CapturedRun): Promise<PlanSample> {
    try {
      return { plan: await this.#explain(run, true), isGeneric: false, problem: null };
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code !== QUERY_CANCELED) throw error;
      const problem = `not executed to its end: it was cancelled after ${this.input.timeoutMs} ms`;
      return { plan: await this.#explain(run, false), isGeneric: false, problem };
    }
  }

  #explain({ statement, parameters }: CapturedRun, analyse: boolean): Promise<Plan> {
    const options = analyse ? 'ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON' : 'FORMAT JSON';
    return this.#read(async (ask) =>
      planFrom(await ask(`EXPLAIN (${options}) ${statement.text}`, parameters ?? [])),
    );
  }

  /**
   * As EXPLAIN (GENERIC_PLAN) of PostgreSQL 16, which needs the protocol that takes several statements at once: with texts
   * of strangers that is out of the question.
   */
  #generic({ text, parameterCount }: Statement): Promise<Plan> {
    const nulls = Array.from({ length: parameterCount }, () => 'NULL').join(', ');
    return this.#read(async (ask) => {
      await ask('SET LOCAL plan_cache_mode = force_generic_plan');
      await ask(`PREPARE ${GENERIC} AS ${text}`);
      // It would outlive the transaction, also one that fails.
      await ask('SAVEPOINT prepared');
      try {
        return planFrom(await ask(`EXPLAIN (FORMAT JSON) EXECUTE ${GENERIC}(${nulls})`));
      } finally {
        await ask('ROLLBACK TO SAVEPOINT prepared');
        await ask(`DEALLOCATE ${GENERIC}`);
      }
    });
  }

  #read<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.input.own.read({ timeoutMs: this.input.timeoutMs }, work);
  }
}
