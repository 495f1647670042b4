import { createHash } from 'node:crypto';
import { CacheRedisError } from '../cache.errors.js';

/** The kind of server that the options describe. */
export type ServerKind = 'single' | 'sentinel' | 'cluster';

const OLDEST = [6, 2] as const;

const factOf = (info: string, name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];

/**
 * Who a server is, from `INFO server` and `INFO replication`: 8 characters (48 bits) that change when it restarts (run id) and
 * each time it becomes a master (replication id), since then its data may lack what its predecessor had acknowledged.
 * @throws {CacheRedisError} when it is not what the options say.
 */
export function identify(server: string, kind: ServerKind, info: string): string {
  const runId = factOf(info, 'run_id');
  if (runId === undefined) throw misfit(server, 'it does not tell its run_id');
  const version = factOf(info, 'redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new CacheRedisError(
      'CACHE_REDIS_VERSION',
      `The cache needs Redis ${OLDEST.join('.')} or later, the one at ${server} is ${version}`,
    );
  }
  const mode = factOf(info, 'redis_mode');
  if (mode !== (kind === 'cluster' ? 'cluster' : 'standalone')) {
    throw misfit(server, `it runs as "${mode}", and the options describe ${article(kind)}`);
  }
  if (factOf(info, 'role') !== 'master') {
    if (kind === 'single') throw misfit(server, 'it is a replica; name its master, or use Sentinel');
    throw new CacheRedisError('CACHE_REDIS_UNAVAILABLE', `Redis at ${server} is not a master just now`);
  }
  const replication = factOf(info, 'master_replid') ?? '';
  return createHash('sha256').update(`${runId} ${replication}`).digest('base64url').slice(0, 8);
}

const article = (kind: ServerKind) =>
  kind === 'cluster' ? 'a cluster' : kind === 'sentinel' ? 'a master behind Sentinel' : 'a single server';

const misfit = (server: string, reason: string) =>
  new CacheRedisError('CACHE_REDIS_UNSUPPORTED', `The server at ${server} does not fit: ${reason}`);
