import { type EntityManager } from 'typeorm';
import { PlanTimeoutError } from '../retrieval.errors.js';
import { type Statements } from '../statements.js';

/** The server cancelled it on request. */
const QUERY_CANCELED = '57014';

/**
 * The statements of a plan that is given up after a time: the server cancels those that run, each on its own connection, and the
 * connections stay good.
 */
export class PlanStatements implements Statements {
  /** Server processes of the statements that run. */
  readonly #running = new Set<number>();
  readonly #timer: NodeJS.Timeout;
  #cancelling: Promise<unknown> | undefined;

  constructor(
    private readonly manager: EntityManager,
    private readonly timeoutMs: number,
  ) {
    this.#timer = setTimeout(() => this.#cancel(), timeoutMs);
  }

  /** @throws {PlanTimeoutError} when the time is up */
  async query<T>(sql: string, parameters: unknown[] = []): Promise<T> {
    this.#assertTime();
    const runner = this.manager.connection.createQueryRunner();
    try {
      const { processID } = (await runner.connect()) as { processID: number };
      this.#assertTime();
      this.#running.add(processID);
      return (await runner.query(sql, parameters).finally(() => this.#running.delete(processID))) as T;
    } catch (error) {
      if (!this.#cancelling || (error as { code?: string }).code !== QUERY_CANCELED) throw error;
      throw new PlanTimeoutError(this.timeoutMs, { cause: error });
    } finally {
      // It must not hit who has the connection next.
      await this.#cancelling;
      await runner.release();
    }
  }

  /** To be called when the plan has ended: nothing is cancelled any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #cancel(): void {
    this.#cancelling = this.manager
      .query('SELECT pg_cancel_backend(pid) FROM unnest($1::integer[]) AS t (pid)', [[...this.#running]])
      // Without it the statement runs on to the pool's own limit.
      .catch(() => undefined);
  }

  #assertTime(): void {
    if (this.#cancelling) throw new PlanTimeoutError(this.timeoutMs);
  }
}
