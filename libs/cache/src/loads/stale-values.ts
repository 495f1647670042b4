import type { EntryStore } from '../entry-store.js';
import { EARLIEST_REFRESH, type Found } from '../target.js';
import { publishStale, type CacheStaleEvent } from '../events/events.js';
import type { StoredValue } from '../memory/stored-value.js';
import type { StaleValue } from './loader.js';
import type { Settings } from './settings.js';

/** Serves a value past its fresh time: counts it and tells it. */
export function serveStale(
  { name, counters }: EntryStore,
  key: string,
  stored: StoredValue,
  reason: CacheStaleEvent['reason'],
): StoredValue {
  counters.staleHits++;
  if (reason === 'error') counters.staleOnError++;
  else if (reason === 'timeout') counters.softTimeouts++;
  publishStale(name, key, reason);
  return stored;
}

/** Whether a value may hide the error of its load. */
export function standsIn(stale: Found, error: unknown, settings: Settings, now: number): boolean {
  if (stale.hardUntil <= now || now - stale.freshUntil >= settings.staleIfErrorMs) return false;
  return settings.useStale?.(error) !== false;
}

/**
 * Whether an entry is to be loaded anew before its end, at random: the sooner the dearer its load.
 * Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015 (XFetch).
 */
export function isDue(freshMs: number, loadMs: number, beta: number): boolean {
  if (beta === 0 || freshMs > EARLIEST_REFRESH * beta * loadMs) return false;
  return -Math.log(Math.random()) * beta * loadMs >= freshMs;
}

/** What a loader is told of the old value. */
export function describeStale({ stored, createdAt, etag, lastModified }: Found): StaleValue<unknown> {
  return {
    value: stored.value,
    createdAt,
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}
