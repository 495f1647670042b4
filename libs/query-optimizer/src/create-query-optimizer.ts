import { QueryOptimizer } from './query-optimizer.js';
import { type PoolOptionsInput } from './pool/pool.options.js';
import { type QueryOptimizerOptionsInput } from './query-optimizer.options.js';

export interface CreateQueryOptimizerOptions extends Omit<QueryOptimizerOptionsInput, 'pool'> {
  /** `postgres://user:password@host:port/database`. */
  readonly connectionString: string;
  readonly pool?: Omit<PoolOptionsInput, 'connectionString'>;
}

/**
 * The optimizer without Nest. Close it when the program ends.
 *
 * @throws as `QueryOptimizer.start`
 */
export function createQueryOptimizer({
  connectionString,
  pool = {},
  ...rest
}: CreateQueryOptimizerOptions): Promise<QueryOptimizer> {
  return QueryOptimizer.start({ ...rest, pool: { ...pool, connectionString } });
}
