import { setTimeout as delay } from 'node:timers/promises';

import type { Cache } from '@peregrine/cache';

import { CacheUnreachableError, UnexpectedAnswerError } from '../tools.errors.ts';

/** What to remove: everything, one namespace, what carries one of the tags. */
export interface FlushRequest {
  readonly namespace: string | undefined;
  readonly tags: readonly string[] | undefined;
}

const API_TIMEOUT_MS = 10_000;
/** To connect to Redis, milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
const POLL_MS = 20;

/**
 * @param url of the api, without a path
 * @returns what was done, for a person
 * @throws {CacheUnreachableError} {@link UnexpectedAnswerError}
 */
export async function flushThroughApi(url: string, key: string, request: FlushRequest): Promise<string> {
  let response: Response;
  try {
    response = await fetch(`${url}/api/v1/meta/cache/flush`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(API_TIMEOUT_MS),
    });
  } catch (cause) {
    throw new CacheUnreachableError(`The api on ${url} does not answer: is it running?`, { cause });
  }
  const answer = (await response.json().catch(() => ({}))) as Answer;
  if (response.ok) return `Flushed ${answer.flushed} through the api on ${url}. ${answer.note}`;
  const problems = answer.errors?.map(({ message }) => message) ?? [answer.detail ?? response.statusText];
  throw new UnexpectedAnswerError(`The api on ${url} refused (${response.status}): ${problems.join('; ')}`);
}

interface Answer {
  readonly flushed?: string;
  readonly note?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly message: string }[];
}

/**
 * Every process that shares the prefix hears of it through Redis.
 *
 * @returns what was done, for a person; undefined when the environment names no Redis
 * @throws {CacheUnreachableError}, and `InvalidEnvironmentError` when a setting is wrong
 */
export async function flushThroughRedis(
  environment: NodeJS.ProcessEnv,
  { namespace, tags }: FlushRequest,
): Promise<string | undefined> {
  const [{ cacheRedisOf, cacheSettings, loadSettings, redisSettings }, { createCache }, { Logger }] =
    await Promise.all([import('@peregrine/config'), import('@peregrine/cache'), import('@nestjs/common')]);
  const settings = loadSettings({ cache: cacheSettings, redis: redisSettings }, environment);
  const redis = cacheRedisOf(settings);
  if (redis === undefined) return undefined;
  // What the cache would log, the message of the error says.
  Logger.overrideLogger(false);
  const { prefix } = settings.cache;
  // Which namespaces there are, only the processes know that declare them.
  const declared = namespace === undefined ? {} : { namespaces: { [namespace]: { ttlMs: 1 } } };
  const cache = createCache({ prefix, redis, ...declared });
  try {
    await connected(cache);
    const part = namespace === undefined ? cache : cache.namespace(namespace);
    if (tags !== undefined) await part.invalidateTags(tags);
    else if (namespace !== undefined) await cache.clearNamespace(namespace);
    else await cache.flush();
    assertDone(cache);
  } finally {
    await cache.close();
  }
  const what = tags === undefined ? 'all entries' : `entries tagged ${tags.join(', ')}`;
  const where = namespace === undefined ? '' : ` of the namespace ${namespace}`;
  return `Flushed ${what}${where} of every process with the prefix ${prefix}, through Redis.`;
}

async function connected(cache: Cache): Promise<void> {
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  while (!cache.stats().redis.available) {
    if (performance.now() > deadline) throw unreachable(cache);
    await delay(POLL_MS);
  }
}

function assertDone(cache: Cache): void {
  const { available, pendingInvalidations } = cache.stats().redis;
  if (!available || pendingInvalidations > 0) throw unreachable(cache);
}

function unreachable(cache: Cache): CacheUnreachableError {
  const reason = cache.stats().redis.lastError?.message ?? 'no answer';
  return new CacheUnreachableError(`The Redis of the cache cannot be used, nothing was flushed: ${reason}`);
}
