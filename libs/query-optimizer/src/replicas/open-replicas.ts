import { TappedServer } from '../execution/tapped-server.js';
import { type PoolOptionsInput } from '../pool/pool.options.js';
import { type QueryOptimizerOptions, type ReplicaPoolOptions } from '../query-optimizer.options.js';
import { type QueryTap } from '../tap/query-tap.js';
import { Replica } from './replica.js';
import { ReplicaSet } from './replica-set.js';

/** The primary can answer too, so nobody waits for long. */
const MAX_ACQUIRE_MS = 1_000;

/**
 * @param pool the options of the primary
 * @returns undefined without any
 * @throws {InvalidPoolOptionsError}
 */
export function openReplicas(
  { replicas, replication }: Pick<QueryOptimizerOptions, 'replicas' | 'replication'>,
  pool: PoolOptionsInput,
  primary: TappedServer,
  tap: QueryTap,
): ReplicaSet | undefined {
  if (replicas.length === 0) return undefined;
  const opened = replicas.map((it) => {
    const options = poolOptionsOf(it, pool);
    const open = () => new TappedServer(options, tap);
    // Its options are valid now, so the address is.
    const server = open();
    const { host } = new URL(options.connectionString);
    return new Replica(host, replication, server, open);
  });
  return new ReplicaSet(primary, opened, replication.checkEveryMs);
}

function poolOptionsOf(replica: string | ReplicaPoolOptions, pool: PoolOptionsInput): PoolOptionsInput {
  const { session, ...own } = typeof replica === 'string' ? { connectionString: replica } : replica;
  const acquireTimeoutMs = Math.min(pool.acquireTimeoutMs ?? MAX_ACQUIRE_MS, MAX_ACQUIRE_MS);
  return { ...pool, acquireTimeoutMs, ...own, session: { ...pool.session, ...session } };
}
