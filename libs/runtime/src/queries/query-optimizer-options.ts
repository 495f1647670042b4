import { type Cache } from '@peregrine/cache';
import { type FeatureFlags } from '@peregrine/config';
import { contentQueryPolicy } from '@peregrine/content';
import { type NPlusOneFinding, type QueryOptimizerOptionsInput } from '@peregrine/query-optimizer';
import { type Role } from '../role.js';
import { type Settings } from '../settings.js';
import { statementOfRequest } from '../timing/request-statements.js';
import { CachedResultStore } from './cached-result-store.js';

const WATCHED_SHARE = { off: 0, count: 0.01, warn: 1 } as const satisfies Record<
  Settings['database']['loopWatch'],
  number
>;

export interface QueryOptimizerParts {
  readonly role: Role;
  readonly cache: Cache;
  readonly flags: FeatureFlags;
  readonly onLoop: (finding: NPlusOneFinding) => void;
}

/** The options of the query optimizer: one pool for all statements of a process, results in the cache's namespace `query`. */
export function queryOptimizerOptions(
  { database }: Settings,
  { role, cache, flags, onLoop }: QueryOptimizerParts,
): QueryOptimizerOptionsInput {
  return {
    pool: {
      connectionString: database.url,
      applicationName: `peregrine-${role}`,
      min: Math.min(database.poolMin, database.poolMax),
      max: database.poolMax,
      maxWaiting: database.poolMaxWaiting,
      acquireTimeoutMs: database.acquireTimeoutMs,
      connectTimeoutMs: database.connectTimeoutMs,
      idleTimeoutMs: database.idleTimeoutMs,
      statementTimeoutMs: database.statementTimeoutMs,
      session: { ...database.session },
    },
    replicas: database.replicaUrls ?? [],
    replication: { maxLagMs: database.replicaMaxLagMs },
    store: new CachedResultStore(cache.namespace('query')),
    cache: { ...resultCache(role, flags), maxStalenessMs: database.queryMaxStalenessMs },
    onStatement: statementOfRequest,
    nPlusOne: { sampleRate: WATCHED_SHARE[database.loopWatch], onFinding: onLoop },
  };
}

/**
 * A task acts on what it reads, so it reads what is there and not what was there a moment ago. A worker keeps nothing then,
 * and need not hear of others' writes; its own are invalidated like all.
 */
function resultCache(role: Role, flags: FeatureFlags): NonNullable<QueryOptimizerOptionsInput['cache']> {
  if (role === 'worker') return { enabled: false, listen: false };
  const enabled = (fingerprint: string) => flags.isEnabled('queryCacheEnabled', fingerprint);
  return { enabled, policy: contentQueryPolicy };
}
