import { type AdvisorClient, type AdvisorOptions } from './advisor.options.js';
import { type PlanNode } from './plan-node.js';
import { QueryAdvisorError } from '../query-optimizer.errors.js';

/** A statement in the form in which EXPLAIN takes it. */
export interface ExplainableText {
  readonly text: string;
  /** Parameters that are left in the text: the generic plan is asked for. 0: none. */
  readonly parameterCount: number;
}

/** Statements with as many tables are planned briefly during the search. */
export const BRIEF_TABLE_COUNT = 8;

/**
 * One connection in one transaction that is rolled back at the end, whatever happened in it. Every step runs behind a
 * savepoint, so that one that fails leaves the others as they were.
 */
export class AdvisorSession {
  planCount = 0;
  #preparedCount = 0;
  #isBrief = false;
  /** There is a savepoint behind which nothing but EXPLAIN was run. */
  #isPlanning = false;
  readonly #usual = new Map<string, string>();
  /** Made by the transaction itself, and gone with it. */
  readonly #extensions = new Map<string, string | null>();

  private constructor(
    private readonly client: AdvisorClient,
    readonly serverVersion: number,
    readonly isSuperuser: boolean,
    readonly searchPath: readonly string[],
    readonly mayCreateSchema: boolean,
    readonly cpuOperatorCost: number,
  ) {}

  /** @throws {QueryAdvisorError} there is no connection */
  static async with<T>(options: AdvisorOptions, work: (session: AdvisorSession) => Promise<T>): Promise<T> {
    let client: AdvisorClient;
    try {
      client = await options.source.connect();
    } catch (error) {
      throw new QueryAdvisorError('no connection', { cause: error });
    }
    try {
      return await work(await AdvisorSession.#begin(client, options.statementTimeoutMs));
    } catch (error) {
      if (error instanceof QueryAdvisorError) throw error;
      throw new QueryAdvisorError(messageOf(error), { cause: error });
    } finally {
      await client.query('ROLLBACK').catch(() => undefined);
      // Hypothetical indexes live as long as the backend does.
      client.release(true);
    }
  }

  static async #begin(client: AdvisorClient, statementTimeoutMs: number): Promise<AdvisorSession> {
    await client.query('BEGIN');
    for (const [name, value] of [
      ['statement_timeout', `${statementTimeoutMs}ms`],
      ['lock_timeout', '2s'],
      // Its questions to the catalogue are run once each: compiling them would take longer than they do.
      ['jit', 'off'],
      // Our own reading of a text must be the server's.
      ['standard_conforming_strings', 'on'],
    ] as const)
      await client.query('SELECT pg_catalog.set_config($1, $2, true)', [name, value]);
    const { rows } = await client.query(
      `SELECT current_setting('server_version_num')::int AS version, current_setting('is_superuser') = 'on' AS super,
              current_schemas(true)::text[] AS path, has_database_privilege(current_database(), 'CREATE') AS creates,
              current_setting('cpu_operator_cost')::float8 AS operator_cost`,
    );
    const [row] = rows as readonly {
      version: number;
      super: boolean;
      path: readonly string[];
      creates: boolean;
      operator_cost: number;
    }[];
    if (row === undefined) throw new QueryAdvisorError('the server does not say what it is');
    return new AdvisorSession(client, row.version, row.super, row.path, row.creates, row.operator_cost);
  }

  async rows<R>(text: string, values: readonly unknown[] = []): Promise<readonly R[]> {
    await this.#endPlanning();
    const { rows } = await this.client.query(text, values);
    return rows as readonly R[];
  }

  /** Runs the work behind a savepoint: what it did is undone when it fails. */
  async guarded<T>(work: () => Promise<T>): Promise<T> {
    await this.#endPlanning();
    await this.client.query('SAVEPOINT peregrine_step');
    try {
      const result = await work();
      await this.client.query('RELEASE SAVEPOINT peregrine_step');
      return result;
    } catch (error) {
      await this.client.query('ROLLBACK TO SAVEPOINT peregrine_step; RELEASE SAVEPOINT peregrine_step');
      throw error;
    } finally {
      // One that was made within is gone with it.
      this.#isPlanning = false;
    }
  }

  /** The same, and null when it fails. */
  async attempt<T>(work: () => Promise<T>): Promise<T | Error> {
    try {
      return await this.guarded(work);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Types that PostgreSQL finds for $1, $2, …; the text is checked on the way. */
  parameterTypes(text: string): Promise<readonly string[]> {
    const name = this.#nextName();
    return this.guarded(async () => {
      await this.#single(`PREPARE ${name} AS ${text}`);
      const [row] = await this.rows<{ types: readonly string[] }>(
        `SELECT parameter_types::text[] AS types FROM pg_catalog.pg_prepared_statements WHERE name = $1`,
        [name],
      );
      await this.client.query(`DEALLOCATE ${name}`);
      return row?.types ?? [];
    });
  }

  /** The plan with all that it says of columns and conditions. */
  explain(statement: ExplainableText): Promise<PlanNode> {
    return this.#explain(statement, 'VERBOSE, ');
  }

  /** The plan without the outputs of its nodes, which are the larger part of it. */
  explainBriefly(statement: ExplainableText): Promise<PlanNode> {
    return this.#explain(statement, '');
  }

  /**
   * EXPLAIN leaves nothing behind, so one savepoint does for all of them until something else is done: with one for each a
   * quarter of all round trips would be for savepoints (measured on 113 joins).
   */
  async #explain(statement: ExplainableText, options: string): Promise<PlanNode> {
    this.planCount += 1;
    if (!this.#isPlanning) {
      await this.client.query('SAVEPOINT peregrine_plans');
      this.#isPlanning = true;
    }
    try {
      return await this.#planOf(statement, options);
    } catch (error) {
      await this.client.query('ROLLBACK TO SAVEPOINT peregrine_plans');
      throw error;
    }
  }

  /** Before anything else: a plan that fails later must not undo it. */
  async #endPlanning(): Promise<void> {
    if (!this.#isPlanning) return;
    this.#isPlanning = false;
    await this.client.query('RELEASE SAVEPOINT peregrine_plans');
  }

  async #planOf({ text, parameterCount }: ExplainableText, options: string): Promise<PlanNode> {
    if (parameterCount === 0) return this.#plan(`EXPLAIN (${options}FORMAT JSON) ${text}`);
    // EXPLAIN (GENERIC_PLAN) of PostgreSQL 16 would need the simple protocol, which takes several statements.
    await this.client.query('SET LOCAL plan_cache_mode = force_generic_plan');
    const name = this.#nextName();
    await this.#single(`PREPARE ${name} AS ${text}`);
    const nulls = Array.from({ length: parameterCount }, () => 'NULL').join(', ');
    try {
      return await this.#plan(`EXPLAIN (${options}FORMAT JSON) EXECUTE ${name} (${nulls})`);
    } finally {
      // Kept plans know nothing of hypothetical indexes that come later.
      await this.client.query(`DEALLOCATE ${name}`).catch(() => undefined);
    }
  }

  /** A new one each time: what was prepared outlives the rollback of its savepoint. */
  #nextName(): string {
    return `peregrine_advisor_${this.#preparedCount++}`;
  }

  /**
   * Brief planning: from 8 tables on the genetic search at its least effort, which is three to four times as fast and finds plans
   * some 8 % dearer (measured on 113 joins of 4 to 17 tables). For comparisons among each other only.
   */
  async planBriefly(isBrief: boolean): Promise<void> {
    if (this.#isBrief === isBrief) return;
    await this.#endPlanning();
    this.#isBrief = isBrief;
    for (const [name, value] of [
      ['geqo_threshold', String(BRIEF_TABLE_COUNT)],
      ['geqo_effort', '1'],
      ['geqo_pool_size', '20'],
      ['geqo_generations', '20'],
    ] as const) {
      this.#usual.set(name, this.#usual.get(name) ?? (await this.#setting(name)));
      await this.client.query('SELECT pg_catalog.set_config($1, $2, true)', [
        name,
        isBrief ? value : (this.#usual.get(name) ?? ''),
      ]);
    }
  }

  async #setting(name: string): Promise<string> {
    const [row] = await this.rows<{ value: string }>('SELECT current_setting($1) AS value', [name]);
    return row?.value ?? '';
  }

  async #plan(text: string): Promise<PlanNode> {
    const rows = await this.#single(text);
    const [row] = rows as readonly { 'QUERY PLAN': readonly { Plan: PlanNode }[] }[];
    const plan = row?.['QUERY PLAN'][0]?.Plan;
    if (plan === undefined) throw new QueryAdvisorError('EXPLAIN answered with no plan');
    return plan;
  }

  /** By the extended protocol, which takes one statement and no more. */
  async #single(text: string): Promise<readonly unknown[]> {
    const { rows } = await this.client.query({ text, queryMode: 'extended' });
    return rows;
  }

  /**
   * The schema of an extension, which is created within the transaction when it is not there; null when it cannot be.
   */
  async extension(name: 'hypopg' | 'pg_trgm'): Promise<string | null> {
    const known = this.#extensions.get(name);
    if (known !== undefined) return known;
    const made = await this.attempt(async () => {
      await this.client.query(`CREATE EXTENSION IF NOT EXISTS ${name}`);
      const [row] = await this.rows<{ schema: string }>(
        `SELECT n.nspname AS schema FROM pg_catalog.pg_extension e
         JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = $1`,
        [name],
      );
      return row?.schema ?? null;
    });
    const schema = made instanceof Error ? null : made;
    this.#extensions.set(name, schema);
    return schema;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
