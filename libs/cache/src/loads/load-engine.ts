import { CacheClosedError, CacheLoadTimeoutError } from '../cache.errors.js';
import type { EntryStore } from '../entry-store.js';
import type { Below, Found, Target } from '../target.js';
import { type CacheLoadReason } from '../events/events.js';
import type { MemoryEntry } from '../memory/entry-memory.js';
import type { StoredValue } from '../memory/stored-value.js';
import { Failures } from './failures.js';
import { Flight, type Outcome } from './flight.js';
import { lookBelow } from './cluster-flight.js';
import type { CacheLoader } from './loader.js';
import { LoaderRun, runLoader } from './loader-run.js';
import { hardLife, lifeOf, shortened, settle, type CacheLoadOptions, type Settings } from './settings.js';
import { isDue, serveStale, standsIn } from './stale-values.js';

/** What a background refresh is for: the fresh time that the value still has, or 0 and less when it is stale. */
interface Refresh {
  readonly freshMs: number;
}

/**
 * Loads: one flight for all who miss a key together, refreshes in the background, what stands in for a load that is slow or
 * fails. A flight notes the generations before it starts; when they have moved, callers after that get a flight of their own.
 */
export class LoadEngine {
  readonly #flights = new Map<string, Flight>();
  readonly #failures: Failures;
  #closed = false;

  constructor(private readonly store: EntryStore) {
    this.#failures = new Failures(store);
  }

  /** The value of an entry that is past its soft time, or of none. Rejects only with the loader's error or a timeout. */
  obtain(
    key: string,
    loader: CacheLoader<unknown>,
    options: CacheLoadOptions | undefined,
    entry: MemoryEntry | undefined,
  ): Promise<Outcome> {
    const settings = settle(this.store.options, options);
    const target = this.store.target(key, options?.tags, options?.contentHashes);
    const ageing = entry && this.#serveAgeing(entry, target, loader, settings);
    if (ageing !== undefined) return Promise.resolve({ stored: ageing });
    const failure = this.#failures.find(target);
    const now = this.#now();
    if (
      failure !== undefined &&
      failure.restsUntil > now &&
      entry &&
      standsIn(entry, failure.error, settings, now)
    ) {
      return Promise.resolve({ stored: serveStale(this.store, key, entry.stored, 'error') });
    }
    if (failure !== undefined && failure.answersUntil > now) {
      this.store.counters.cachedErrors++;
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever it was thrown as
      return Promise.reject(failure.error);
    }
    return this.wait(this.#join(target, loader, settings, entry), settings, options?.signal);
  }

  /** Runs the loader past all tiers. */
  async bypass(
    key: string,
    loader: CacheLoader<unknown>,
    options: CacheLoadOptions | undefined,
  ): Promise<unknown> {
    const settings = settle(this.store.options, options);
    const flight = new Flight(this.store.target(key));
    flight.promise = runLoader(this.store, flight, loader, settings, undefined, undefined, 'miss');
    const outcome = await this.wait(flight, settings, options?.signal);
    return 'raw' in outcome ? outcome.raw : outcome.stored.value;
  }

  /** The flight under way, unless it was aborted or overtaken, or an invalidation may have been missed since it started. */
  flightOf(target: Target): Flight | undefined {
    const running = this.#flights.get(target.key);
    if (running === undefined || running.aborted) return undefined;
    const { store } = this;
    const late =
      store.overtaken(running.target) ||
      store.overtaken(running.target, target.tagSlots) ||
      store.tiers.generations.suspectedSince(running.target.at);
    return late ? undefined : running;
  }

  /** Makes a flight known to those who come; it leaves when it has ended. */
  start(flight: Flight, promise: Promise<Outcome>): void {
    const { key } = flight.target;
    flight.promise = promise;
    if (this.#closed) flight.controller.abort(new CacheClosedError());
    this.#flights.set(key, flight);
    const leave = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    promise.then(leave, leave);
  }

  /** One caller's wait: to the end, to its own abort, or to the soft timeout where a stale value stands in. */
  async wait(flight: Flight, settings: Settings, signal: AbortSignal | undefined): Promise<Outcome> {
    flight.enter();
    const { softTimeoutMs } = settings;
    if (signal === undefined && softTimeoutMs === undefined) return flight.promise;
    const { clock } = this.store.tiers;
    const early = Promise.withResolvers<Outcome>();
    const onAbort = () => {
      flight.leave();
      early.reject(signal?.reason as Error);
    };
    const onSlow = () => {
      const stale = flight.stale?.();
      if (stale === undefined) return;
      early.resolve({ stored: serveStale(this.store, flight.target.key, stale, 'timeout') });
    };
    const timer = softTimeoutMs === undefined ? undefined : clock.setTimeout(onSlow, softTimeoutMs);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort);
    try {
      return await Promise.race([early.promise, flight.promise]);
    } finally {
      if (timer !== undefined) clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // A flight that nobody waits for any more may still fail.
      flight.promise.catch(() => undefined);
    }
  }

  /** Aborts what runs; their callers get the reason. */
  close(): void {
    this.#closed = true;
    for (const flight of this.#flights.values()) flight.controller.abort(new CacheClosedError());
  }

  /** A value that is good enough at once; what follows happens in the background. */
  #serveAgeing(
    entry: MemoryEntry,
    target: Target,
    loader: CacheLoader<unknown>,
    settings: Settings,
  ): StoredValue | undefined {
    const freshMs = entry.freshUntil - this.#now();
    if (freshMs > 0) {
      if (isDue(freshMs, entry.loadMs, settings.earlyRefresh)) {
        this.#refresh(target, loader, settings, entry, { freshMs });
      }
      return entry.stored;
    }
    if (-freshMs >= settings.staleWhileRevalidateMs) return undefined;
    this.#refresh(target, loader, settings, entry, { freshMs });
    return serveStale(this.store, target.key, entry.stored, 'revalidate');
  }

  #refresh(
    target: Target,
    loader: CacheLoader<unknown>,
    settings: Settings,
    stale: Found | undefined,
    refresh: Refresh,
  ) {
    const resting = (this.#failures.find(target)?.restsUntil ?? 0) > this.#now();
    if (this.#closed || resting || this.flightOf(target) !== undefined) return;
    const { counters } = this.store;
    if (refresh.freshMs > 0) counters.earlyRefreshes++;
    else counters.refreshes++;
    const flight = new Flight(target);
    flight.enter();
    this.#launch(flight, loader, settings, stale, refresh);
    // Its failure is counted and remembered; nobody waits for it.
    flight.promise.catch(() => undefined);
  }

  #join(target: Target, loader: CacheLoader<unknown>, settings: Settings, stale: Found | undefined): Flight {
    const running = this.flightOf(target);
    if (running !== undefined) {
      this.store.counters.coalesced++;
      return running;
    }
    const flight = new Flight(target);
    this.#launch(flight, loader, settings, stale, undefined);
    return flight;
  }

  #launch(
    flight: Flight,
    loader: CacheLoader<unknown>,
    settings: Settings,
    stale: Found | undefined,
    refresh: Refresh | undefined,
  ): void {
    if (stale !== undefined) this.#offerStale(flight, stale);
    this.start(flight, this.#fly(flight, loader, settings, stale, refresh));
  }

  #offerStale(flight: Flight, stale: Found): void {
    flight.stale = () =>
      stale.hardUntil > this.#now() && !this.store.overtaken(flight.target) ? stale.stored : undefined;
  }

  async #fly(
    flight: Flight,
    loader: CacheLoader<unknown>,
    settings: Settings,
    known: Found | undefined,
    refresh: Refresh | undefined,
  ): Promise<Outcome> {
    const { store } = this;
    const below = await lookBelow(store, flight, settings, refresh?.freshMs);
    const { found } = below;
    // Another process refreshes it.
    if (refresh !== undefined && below.lease === 'held' && found !== undefined)
      return { stored: found.stored };
    const answer = found && this.#accept(found, flight.target, loader, settings, refresh);
    if (answer !== undefined) {
      store.release(below);
      return { stored: answer };
    }
    const stale = found ?? known;
    if (stale !== undefined) this.#offerStale(flight, stale);
    try {
      return await this.#load(flight, loader, settings, stale, below, reasonOf(refresh));
    } catch (error) {
      store.release(below);
      if (flight.aborted && !(error instanceof CacheLoadTimeoutError)) throw error;
      this.#failures.record(flight.target, error, settings);
      const { target } = flight;
      const hidden =
        stale !== undefined && standsIn(stale, error, settings, this.#now()) && !store.overtaken(target);
      if (!hidden) throw error;
      return { stored: serveStale(store, target.key, stale.stored, 'error') };
    }
  }

  /** What a lower tier had, when that will do. */
  #accept(
    found: Found,
    target: Target,
    loader: CacheLoader<unknown>,
    settings: Settings,
    refresh: Refresh | undefined,
  ): StoredValue | undefined {
    const freshMs = found.freshUntil - this.#now();
    // A refresh wants more than it has: an entry that another process has renewed meanwhile.
    if (freshMs > 0) return refresh === undefined || freshMs > 2 * refresh.freshMs ? found.stored : undefined;
    if (refresh !== undefined || -freshMs >= settings.staleWhileRevalidateMs) return undefined;
    // After this flight has left.
    setImmediate(() => this.#refresh(target, loader, settings, found, { freshMs }));
    return serveStale(this.store, target.key, found.stored, 'revalidate');
  }

  async #load(
    flight: Flight,
    loader: CacheLoader<unknown>,
    settings: Settings,
    stale: Found | undefined,
    below: Below,
    reason: CacheLoadReason,
  ): Promise<Outcome> {
    const { store } = this;
    const { target } = flight;
    const { run, raw, loadMs } = await runLoader(store, flight, loader, settings, stale, below.lease, reason);
    const confirmed = LoaderRun.isNotModified(raw) ? stale : undefined;
    const value = confirmed === undefined ? raw : confirmed.stored.value;
    const freshMs = run.ttlMs === undefined ? lifeOf(value, settings) : shortened(run.ttlMs, settings.jitter);
    const stored = confirmed?.stored ?? (freshMs > 0 && run.stored ? store.takeIn(value) : undefined);
    this.#failures.forget(target);
    if (stored === undefined || freshMs === 0 || !run.stored) {
      store.release(below);
      return stored === undefined ? { raw: value } : { stored };
    }
    const tagged = this.#withAddedTags(target, run, settings);
    if (store.overtaken(target) || store.overtaken(tagged)) {
      store.counters.overtaken++;
      store.release(below);
      return { stored };
    }
    const { etag = confirmed?.etag, lastModified = confirmed?.lastModified } = run.validators;
    const draft = {
      stored,
      freshMs,
      hardMs: hardLife(freshMs, settings),
      loadMs,
      createdAt: Date.now(),
      ...(etag !== undefined && { etag }),
      ...(lastModified !== undefined && { lastModified }),
    };
    // Redis could not note the generations of tags that were not known before: memory only.
    const { noted: _noted, ...unnoted } = below;
    store.keep(tagged, draft, tagged === target ? below : unnoted, settings);
    return { stored };
  }

  #withAddedTags(target: Target, { tags }: LoaderRun, settings: Settings): Target {
    if (tags.length === 0) return target;
    const all = [...(settings.tags ?? []), ...tags];
    return { ...this.store.target(target.key, all, settings.contentHashes), at: target.at };
  }

  #now(): number {
    return this.store.tiers.clock.now();
  }
}

const reasonOf = (refresh: Refresh | undefined): CacheLoadReason =>
  refresh === undefined ? 'miss' : refresh.freshMs > 0 ? 'early-refresh' : 'refresh';
