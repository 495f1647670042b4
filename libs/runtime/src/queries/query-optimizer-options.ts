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

const MEBIBYTE = 1_048_576;

export interface QueryOptimizerParts {
  readonly role: Role;
  readonly cache: Cache;
  readonly flags: FeatureFlags;
  readonly onLoop: (finding: NPlusOneFinding) => void;
}

/** The options of the query optimizer: one pool for all statements of a process, results in the cache's namespace `query`. */
export function queryOptimizerOptions(
  { database, indexAdvisor }: Settings,
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
    replicas: replicasOf(role, database.replicaUrls),
    replication: { maxLagMs: database.replicaMaxLagMs },
    store: new CachedResultStore(cache.namespace('query')),
    cache: { ...resultCache(role, flags), maxStalenessMs: database.queryMaxStalenessMs },
    adaptiveIndexing: adaptiveIndexing(indexAdvisor),
    onStatement: statementOfRequest,
    nPlusOne: { sampleRate: WATCHED_SHARE[database.loopWatch], onFinding: onLoop },
  };
}

/** What an api wrote a moment ago, the task that it submitted must find: a worker asks no replica, which may not have it yet. */
function replicasOf(role: Role, urls: readonly string[] | undefined): string[] {
  return role === 'worker' ? [] : [...(urls ?? [])];
}

/** The same in every process: who may look has the same answers, and only workers have rounds. */
function adaptiveIndexing(settings: Settings['indexAdvisor']) {
  const { mode, indexesPerDay, megabytesPerDay, buildHours = [], timeZone, unusedAfterDays } = settings;
  const bytesPerDay = megabytesPerDay * MEBIBYTE;
  return { mode, indexesPerDay, bytesPerDay, buildHours, timeZone, unusedAfterDays };
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
