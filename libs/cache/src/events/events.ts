import { channel, tracingChannel, type Channel } from 'node:diagnostics_channel';
import type { TierName } from '../cache.options.js';

/** A read was answered. */
export interface CacheHitEvent {
  readonly namespace: string;
  readonly key: string;
  readonly tier: TierName;
}

/** A read found nothing in any tier it may use. */
export interface CacheMissEvent {
  readonly namespace: string;
  readonly key: string;
}

/** Why a loader runs: a caller waits for it, or it renews a stale entry, or one that is still fresh. */
export type CacheLoadReason = 'miss' | 'refresh' | 'early-refresh';

/** One run of a loader, the same object from its start to its end. Never holds the value. */
export interface CacheLoadEvent {
  readonly namespace: string;
  readonly key: string;
  readonly reason: CacheLoadReason;
  /** How long the run took, milliseconds; from the end on. */
  durationMs?: number;
  /** What the loader failed with; only after a failure. */
  error?: unknown;
}

/** A look below memory, in Redis and the object store, the same object from its start to its end. */
export interface CacheReadEvent {
  readonly namespace: string;
  /** How many keys it asks for. */
  readonly keys: number;
}

/** A value was set by a caller. */
export interface CacheSetEvent {
  readonly namespace: string;
  readonly key: string;
}

/** Something was invalidated by a call in this process (`local`) or by another process. */
export interface CacheInvalidateEvent {
  /**
   * Keys, tags, namespaces and the whole as the cache names them inside: `k:<namespace>:<key>`,
   * `t:<namespace>:<tag>`, `n:<namespace>` and so on.
   */
  readonly scopes: readonly string[];
  readonly origin: 'local' | 'remote';
}

/** A read was answered with a value past its fresh time, and why. */
export interface CacheStaleEvent {
  readonly namespace: string;
  readonly key: string;
  readonly reason: 'revalidate' | 'error' | 'timeout';
}

/** An entry was pushed out of memory for want of room. */
export interface CacheEvictEvent {
  readonly namespace: string;
  readonly key: string;
  /** Estimated. */
  readonly bytes: number;
}

/** Redis came into use or went out of it. */
export interface CacheRedisEvent {
  readonly available: boolean;
  /** Why it went; absent when it came. */
  readonly cause?: string;
}

/** An entry in memory is no longer trusted, since messages may have been missed; it is checked on its next use. */
export interface CacheSuspectEvent {
  /** Absent when all of memory is meant. */
  readonly namespace?: string;
  readonly reason: string;
}

/** What is published, by the last part of the name of its channel. */
export interface CacheEvents {
  readonly hit: CacheHitEvent;
  readonly miss: CacheMissEvent;
  readonly set: CacheSetEvent;
  readonly invalidate: CacheInvalidateEvent;
  readonly stale: CacheStaleEvent;
  readonly evict: CacheEvictEvent;
  readonly redis: CacheRedisEvent;
  readonly suspect: CacheSuspectEvent;
  /** Three moments of one load, each with the same object. */
  readonly 'load:start': CacheLoadEvent;
  readonly 'load:end': CacheLoadEvent;
  readonly 'load:error': CacheLoadEvent;
  /** Two moments of one look below memory. */
  readonly 'read:start': CacheReadEvent;
  readonly 'read:end': CacheReadEvent;
}

/** Name of an event. */
export type CacheEventName = keyof CacheEvents;

/** Tracing tools find the loads by this name: `tracingChannel(CACHE_LOAD_CHANNEL)`. */
export const CACHE_LOAD_CHANNEL = 'peregrine:cache:load';

/** As {@link CACHE_LOAD_CHANNEL}, of looks below memory. */
export const CACHE_READ_CHANNEL = 'peregrine:cache:read';

const load = tracingChannel<object, CacheLoadEvent>(CACHE_LOAD_CHANNEL);
const read = tracingChannel<object, CacheReadEvent>(CACHE_READ_CHANNEL);
const plain = (name: Exclude<CacheEventName, `load:${string}` | `read:${string}`>) =>
  channel(`peregrine:cache:${name}`);

/** The channels of `node:diagnostics_channel`, by event. They belong to the process: all its caches publish here. */
export const CACHE_CHANNELS: Readonly<Record<CacheEventName, Channel>> = {
  hit: plain('hit'),
  miss: plain('miss'),
  set: plain('set'),
  invalidate: plain('invalidate'),
  stale: plain('stale'),
  evict: plain('evict'),
  redis: plain('redis'),
  suspect: plain('suspect'),
  'load:start': load.start,
  'load:end': load.asyncEnd,
  'load:error': load.error,
  'read:start': read.start,
  'read:end': read.asyncEnd,
};

/**
 * Listens to an event of all caches in this process. The listener runs inside the call of the cache: keep it short.
 * What it throws never reaches that call; Node reports it as an uncaught exception.
 * @returns ends the listening.
 */
export function onCacheEvent<N extends CacheEventName>(
  name: N,
  listener: (event: CacheEvents[N]) => void,
): () => void {
  const receive = (event: unknown) => listener(event as CacheEvents[N]);
  CACHE_CHANNELS[name].subscribe(receive);
  return () => void CACHE_CHANNELS[name].unsubscribe(receive);
}

const { hit, miss, set, invalidate, stale, evict, redis, suspect } = CACHE_CHANNELS;

// One small function for each event: without a subscriber a call costs one look at a flag and makes no object.

/** @internal */
export function publishHit(namespace: string, key: string, tier: TierName): void {
  if (hit.hasSubscribers) hit.publish({ namespace, key, tier } satisfies CacheHitEvent);
}

/** @internal */
export function publishMiss(namespace: string, key: string): void {
  if (miss.hasSubscribers) miss.publish({ namespace, key } satisfies CacheMissEvent);
}

/** @internal */
export function publishSet(namespace: string, key: string): void {
  if (set.hasSubscribers) set.publish({ namespace, key } satisfies CacheSetEvent);
}

/** @internal */
export function publishInvalidate(scopes: readonly string[], origin: CacheInvalidateEvent['origin']): void {
  if (invalidate.hasSubscribers) invalidate.publish({ scopes, origin } satisfies CacheInvalidateEvent);
}

/** @internal */
export function publishStale(namespace: string, key: string, reason: CacheStaleEvent['reason']): void {
  if (stale.hasSubscribers) stale.publish({ namespace, key, reason } satisfies CacheStaleEvent);
}

/** @internal */
export function publishEvict(namespace: string, key: string, bytes: number): void {
  if (evict.hasSubscribers) evict.publish({ namespace, key, bytes } satisfies CacheEvictEvent);
}

/** @internal */
export function publishRedis(available: boolean, cause?: string): void {
  if (!redis.hasSubscribers) return;
  redis.publish((cause === undefined ? { available } : { available, cause }) satisfies CacheRedisEvent);
}

/** @internal `namespace` is undefined when all of memory is meant. */
export function publishSuspect(namespace: string | undefined, reason: string): void {
  if (!suspect.hasSubscribers) return;
  suspect.publish((namespace === undefined ? { reason } : { namespace, reason }) satisfies CacheSuspectEvent);
}

/**
 * Runs a loader between the events of its load. Not `tracePromise` of Node, which would publish the value.
 * Whoever has bound a store to the start (tracing tools do) finds it in the loader.
 * @internal
 */
export function traceLoad<T>(
  namespace: string,
  key: string,
  reason: CacheLoadReason,
  run: () => Promise<T>,
): Promise<T> {
  return load.hasSubscribers ? traced({ namespace, key, reason }, run) : run();
}

async function traced<T>(event: CacheLoadEvent, run: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  try {
    return await load.start.runStores(event, run);
  } catch (error) {
    event.error = error;
    throw error;
  } finally {
    event.durationMs = performance.now() - startedAt;
    if ('error' in event) load.error.publish(event);
    load.asyncEnd.publish(event);
  }
}

/** Looks below memory between the events of that. `run` never rejects. @internal */
export function traceRead<T>(namespace: string, keys: number, run: () => Promise<T>): Promise<T> {
  return read.hasSubscribers ? tracedRead({ namespace, keys }, run) : run();
}

async function tracedRead<T>(event: CacheReadEvent, run: () => Promise<T>): Promise<T> {
  try {
    return await read.start.runStores(event, run);
  } finally {
    read.asyncEnd.publish(event);
  }
}
