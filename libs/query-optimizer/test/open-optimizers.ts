import { createQueryOptimizer, type CreateQueryOptimizerOptions } from '../src/create-query-optimizer.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { type TestDatabase } from './test-database.js';

/** The optimizers of a test, which closes them all at its end. */
export class OpenOptimizers {
  readonly #opened: QueryOptimizer[] = [];

  /** With few connections, and patient: a busy machine is no reason to distrust. */
  async open(
    database: TestDatabase,
    options: Partial<CreateQueryOptimizerOptions> = {},
  ): Promise<QueryOptimizer> {
    const optimizer = await createQueryOptimizer({
      connectionString: database.url,
      pool: { min: 1, max: 6, reserve: 1, acquireTimeoutMs: 30_000 },
      // What happens behind the queries would be in the figures of the pool.
      slowQueries: { enabled: false },
      ...options,
      cache: { maxStalenessMs: 60_000, ...options.cache },
    });
    this.#opened.push(optimizer);
    return optimizer;
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((it) => it.close()));
  }
}
