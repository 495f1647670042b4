import { CacheLoaderError, CacheLoadTimeoutError, InvalidTtlError } from '../cache.errors.js';
import type { CacheClock } from '../clock.js';
import type { EntryStore } from '../entry-store.js';
import type { Below, Found } from '../target.js';
import { publishMiss, traceLoad, type CacheLoadReason } from '../events/events.js';
import { renewing } from './cluster-flight.js';
import { loadSpan } from '../tracing/cache-spans.js';
import type { Flight } from './flight.js';
import type { CacheLoader, LoaderContext, StaleValue, Validators } from './loader.js';
import type { Settings } from './settings.js';
import { describeStale } from './stale-values.js';

/** What a load is about. */
export interface LoadRequest {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly stale?: StaleValue<unknown> | undefined;
  readonly fence?: number | undefined;
}

/** The confirmed old value; only `notModified()` hands it to a loader. */
const NOT_MODIFIED = Symbol('@peregrine/cache:not-modified');

/** Collects what a loader says of its value. */
export class LoaderRun implements LoaderContext<unknown>, LoadRequest {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly stale: StaleValue<unknown> | undefined;
  readonly fence: number | undefined;
  /** Undefined: as the call says. */
  ttlMs: number | undefined;
  tags: readonly string[] = [];
  validators: Validators = {};
  stored = true;

  constructor(request: LoadRequest) {
    this.key = request.key;
    this.signal = request.signal;
    this.stale = request.stale;
    this.fence = request.fence;
  }

  /** Whether the loader's answer stands for the stale value. */
  static isNotModified(answer: unknown): boolean {
    return answer === NOT_MODIFIED;
  }

  // Arrow functions, so that a loader may take the context apart.
  readonly setTtl = (ttlMs: number): void => {
    if (!Number.isSafeInteger(ttlMs) || ttlMs < 0) throw new InvalidTtlError(ttlMs);
    this.ttlMs = ttlMs;
  };

  readonly addTags = (...tags: readonly string[]): void => {
    this.tags = [...this.tags, ...tags];
  };

  readonly setValidators = ({ etag, lastModified }: Validators): void => {
    this.validators = {
      ...(etag !== undefined && { etag }),
      ...(lastModified !== undefined && { lastModified }),
    };
  };

  readonly notModified = (): unknown => {
    if (this.stale === undefined) throw new CacheLoaderError(this.key, 'there is no stale value to confirm');
    return NOT_MODIFIED;
  };

  readonly doNotStore = (): void => {
    this.stored = false;
  };
}

/**
 * Settles as `work` does, or with the timeout, which aborts the controller. What `work` brings after that is dropped.
 * @throws {CacheLoadTimeoutError}
 */
export async function withHardTimeout<T>(
  work: Promise<T>,
  key: string,
  controller: AbortController,
  clock: CacheClock,
  timeoutMs: number | undefined,
): Promise<T> {
  if (timeoutMs === undefined) return work;
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimeout(() => {
    const error = new CacheLoadTimeoutError(key, timeoutMs);
    controller.abort(error);
    late.reject(error);
  }, timeoutMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clock.clearTimeout(timer);
  }
}

/** What a run of a loader brought, what the loader said of it, and what it cost. */
export interface Loaded {
  readonly run: LoaderRun;
  readonly raw: unknown;
  readonly loadMs: number;
}

/** Runs the loader: renews its lease meanwhile, counts, tells. Rejects with the loader's error or the hard timeout. */
export async function runLoader(
  { name, counters, tiers }: EntryStore,
  { controller, target: { key } }: Flight,
  loader: CacheLoader<unknown>,
  { hardTimeoutMs }: Settings,
  stale: Found | undefined,
  lease: Below['lease'],
  reason: CacheLoadReason,
): Promise<Loaded> {
  const { clock } = tiers;
  const held = lease === undefined || lease === 'held' ? undefined : lease;
  const { signal } = controller;
  const run = new LoaderRun({ key, signal, stale: stale && describeStale(stale), fence: held?.fence });
  const stopRenewing = held && renewing(held, tiers);
  const startedAt = clock.now();
  counters.loads++;
  if (reason === 'miss') publishMiss(name, key);
  try {
    const work = loadSpan(name, reason, () => traceLoad(name, key, reason, async () => await loader(run)));
    const raw = await withHardTimeout(work, key, controller, clock, hardTimeoutMs);
    return { run, raw, loadMs: clock.now() - startedAt };
  } catch (error) {
    counters.loadErrors++;
    if (error instanceof CacheLoadTimeoutError) counters.hardTimeouts++;
    throw error;
  } finally {
    stopRenewing?.();
    counters.loadMs += clock.now() - startedAt;
  }
}
