import type { Readable } from 'node:stream';
import type { NamespaceOptions } from './cache.options.js';
import { keyScope, namespaceScope, tagScope } from './coherence/scopes.js';
import { EntryStore } from './entry-store.js';
import { publishHit, publishMiss, publishSet } from './events/events.js';
import { BatchLoad } from './loads/batch-load.js';
import type { Outcome } from './loads/flight.js';
import { LoadEngine } from './loads/load-engine.js';
import type { CacheBatchLoader, CacheLoader } from './loads/loader.js';
import {
  hardLife,
  lifeOf,
  settle,
  shortened,
  type CacheEntryOptions,
  type CacheLoadOptions,
  type Settings,
} from './loads/settings.js';
import { handOut } from './memory/stored-value.js';
import type { NamespaceCounters } from './statistics/counters.js';
import { assertTag, type Target } from './target.js';
import type { Tiers } from './tiers.js';

/** Options of a call for many keys; `tags` may depend on the key. */
export interface CacheManyOptions extends Omit<CacheLoadOptions, 'tags'> {
  readonly tags?: readonly string[] | ((key: string) => readonly string[]);
}

/** Options of a wrapped function. */
export interface CacheWrapOptions<A extends readonly unknown[]> extends Omit<CacheLoadOptions, 'tags'> {
  /** The key for the arguments. */
  readonly key: (...args: A) => string;
  readonly tags?: readonly string[] | ((...args: A) => readonly string[]);
}

/** A part of the cache with its own life time and statistics. Get it from `Cache.namespace(name)`. */
export class CacheNamespace {
  readonly #store: EntryStore;
  readonly #loads: LoadEngine;
  readonly #tiers: Tiers;
  readonly #clone: boolean;
  readonly #enabled: ((namespace: string, key: string) => boolean) | undefined;

  /** @internal */
  constructor(
    readonly name: string,
    options: NamespaceOptions,
    tiers: Tiers,
    private readonly warn: (message: string) => void,
  ) {
    this.#tiers = tiers;
    this.#store = new EntryStore(name, options, tiers, warn);
    this.#loads = new LoadEngine(this.#store);
    this.#clone = options.clone ?? false;
    this.#enabled = tiers.options.enabled;
  }

  /** @internal */
  get counters(): NamespaceCounters {
    return this.#store.counters;
  }

  /**
   * The fresh cached value, or undefined. One Redis round trip when it is not in memory.
   * Treat the value as read-only: objects in it are frozen; bytes, Date, Map and Set are copies of your own.
   * @throws {InvalidKeyError}
   */
  async get<T>(key: string): Promise<T | undefined> {
    if (!this.#isEnabled(key)) return undefined;
    const entry = this.#store.lookUp(this.#store.address(key));
    const now = this.#tiers.clock.now();
    if (entry !== undefined && entry.freshUntil > now) {
      publishHit(this.name, key, 'memory');
      return handOut(entry.stored, this.#clone) as T;
    }
    const { found } = await this.#store.read(this.#store.target(key), settle(this.#store.options));
    if (found !== undefined && found.freshUntil > this.#tiers.clock.now()) {
      return handOut(found.stored, this.#clone) as T;
    }
    publishMiss(this.name, key);
    return undefined;
  }

  /** What is fresh in the memory of this process, at once. Else undefined, no tier is asked, no miss counted. @throws as {@link get} */
  peek<T>(key: string): T | undefined {
    const entry = this.#isEnabled(key, false) ? this.#store.peek(this.#store.address(key)) : undefined;
    if (entry === undefined) return undefined;
    publishHit(this.name, key, 'memory');
    return handOut(entry.stored, this.#clone) as T;
  }

  /** The fresh cached values by key; keys without one are not in the map. One Redis round trip for each bucket. */
  async getMany<T>(keys: readonly string[]): Promise<Map<string, T>> {
    const result = new Map<string, T>();
    const missing: Target[] = [];
    for (const key of new Set(keys)) {
      if (!this.#isEnabled(key)) continue;
      const entry = this.#store.lookUp(this.#store.address(key));
      if (entry !== undefined && entry.freshUntil > this.#tiers.clock.now()) {
        publishHit(this.name, key, 'memory');
        result.set(key, handOut(entry.stored, this.#clone) as T);
      } else missing.push(this.#store.target(key));
    }
    const belows = await this.#store.readMany(missing, settle(this.#store.options), false);
    const now = this.#tiers.clock.now();
    for (const [i, { key }] of missing.entries()) {
      const found = belows[i]?.found;
      if (found === undefined || found.freshUntil <= now) publishMiss(this.name, key);
      else result.set(key, handOut(found.stored, this.#clone) as T);
    }
    return result;
  }

  /**
   * Replaces the value in all tiers. `undefined` (unless `undefinedTtlMs` is given), and whatever can not be cached,
   * removes the old value instead.
   * @throws {InvalidTtlError} {@link InvalidKeyError} {@link InvalidTagsError}
   */
  async set(key: string, value: unknown, options?: CacheEntryOptions): Promise<void> {
    const settings = settle(this.#store.options, options);
    const target = this.#store.target(key, options?.tags, options?.contentHashes);
    const draft = this.#isEnabled(key) ? this.#draft(value, settings) : undefined;
    if (draft === undefined) return this.#tiers.invalidate([target.scope]);
    publishSet(this.name, key);
    return this.#store.replace(target, draft, settings);
  }

  /** As {@link set} for many; one Redis round trip for each bucket. */
  async setMany(
    entries: Iterable<readonly [key: string, value: unknown]>,
    options?: CacheManyOptions,
  ): Promise<void> {
    const settings = settle(this.#store.options, plain(options));
    const removed: string[] = [];
    const kept = [...new Map(entries)].flatMap(([key, value]) => {
      const target = this.#store.target(key, tagsOf(options, key), options?.contentHashes);
      const draft = this.#isEnabled(key) ? this.#draft(value, settings) : undefined;
      if (draft !== undefined) return [{ target, draft }];
      removed.push(target.scope);
      return [];
    });
    await Promise.all([this.#tiers.invalidate(removed), this.#store.replaceMany(kept, settings)]);
  }

  /**
   * The cached value, or what the loader brings. Callers that miss together share one run of the loader, and its
   * error; errors and `undefined` are not stored unless the options say so. A value that an invalidation overtook goes to
   * those who waited for it and is not stored.
   * Rejects with the loader's own error, {@link CacheLoadTimeoutError}, the reason of `options.signal`, or for wrong
   * arguments with {@link InvalidKeyError}, {@link InvalidTtlError}, {@link InvalidTagsError}; never for a tier.
   */
  getOrSet<T>(key: string, loader: CacheLoader<T>, options?: CacheLoadOptions): Promise<T> {
    try {
      if (!this.#isEnabled(key))
        return this.#loads.bypass(key, loader as CacheLoader<unknown>, options) as Promise<T>;
      const entry = this.#store.lookUp(this.#store.address(key));
      if (
        entry !== undefined &&
        (entry.softUntil === Infinity || entry.softUntil > this.#tiers.clock.now())
      ) {
        publishHit(this.name, key, 'memory');
        return Promise.resolve(handOut(entry.stored, options?.clone ?? this.#clone) as T);
      }
      const clone = options?.clone ?? this.#clone;
      const outcome = this.#loads.obtain(key, loader as CacheLoader<unknown>, options, entry);
      return outcome.then((it) => giveOut(it, clone) as T);
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever it was thrown as
      return Promise.reject(error);
    }
  }

  /**
   * The values of many keys: from memory, from Redis in one round trip for each bucket, and the rest from one run of the
   * loader. A key that the loader leaves out has the value `undefined`. Rejects as {@link getOrSet}.
   */
  async getOrSetMany<T>(
    keys: readonly string[],
    loader: CacheBatchLoader<T>,
    options?: CacheManyOptions,
  ): Promise<Map<string, T | undefined>> {
    const settings = settle(this.#store.options, plain(options));
    const result = new Map<string, T | undefined>();
    const missing: Target[] = [];
    const bypassed: string[] = [];
    for (const key of new Set(keys)) {
      result.set(key, undefined);
      if (!this.#isEnabled(key)) {
        bypassed.push(key);
        continue;
      }
      const entry = this.#store.lookUp(this.#store.address(key));
      if (entry !== undefined && entry.freshUntil > this.#tiers.clock.now()) {
        result.set(key, handOut(entry.stored, settings.clone) as T);
      } else missing.push(this.#store.target(key, tagsOf(options, key), options?.contentHashes));
    }
    const batch = new BatchLoad(this.#store, this.#loads, loader, settings);
    const [outcomes, direct] = await Promise.all([
      missing.length === 0 ? [] : batch.load(missing),
      bypassed.length === 0
        ? new Map<string, T>()
        : loader(bypassed, { signal: options?.signal ?? neverAborted() }),
    ]);
    for (const [i, { key }] of missing.entries()) {
      result.set(key, giveOut(outcomes[i] as Outcome, settings.clone) as T);
    }
    for (const key of bypassed) result.set(key, direct.get(key));
    return result;
  }

  /**
   * Keeps a stream of bytes in the object store, compressed on the way, in constant memory. False when it was not kept: there
   * is no object store, it is away or full, the namespace is encrypted, or an invalidation came meanwhile. The source is read
   * to its end or destroyed; its failure rejects.
   */
  async setStream(key: string, source: Readable, options?: CacheEntryOptions): Promise<boolean> {
    const settings = settle(this.#store.options, options);
    const target = this.#store.target(key, options?.tags, options?.contentHashes);
    if (!this.#isEnabled(key)) {
      source.destroy();
      await this.#tiers.invalidate([target.scope]);
      return false;
    }
    const freshMs = shortened(settings.ttlMs, settings.jitter);
    const draft = { freshMs, hardMs: hardLife(freshMs, settings), loadMs: 0, createdAt: Date.now() };
    return this.#store.replaceByStream(target, source, draft);
  }

  /** The bytes that {@link setStream} has kept, to be read to the end or destroyed; undefined when there are none. */
  async openStream(key: string): Promise<Readable | undefined> {
    return this.#isEnabled(key) ? this.#store.openStream(this.#store.target(key)) : undefined;
  }

  /** The function with the cache in front of it. */
  wrap<A extends readonly unknown[], T>(
    run: (...args: A) => Promise<T>,
    { key, tags, ...options }: CacheWrapOptions<A>,
  ): (...args: A) => Promise<T> {
    return (...args) => {
      const named = typeof tags === 'function' ? tags(...args) : tags;
      return this.getOrSet(key(...args), () => run(...args), {
        ...options,
        ...(named !== undefined && { tags: named }),
      });
    };
  }

  /** Removes one entry everywhere. */
  async invalidate(key: string): Promise<void> {
    return this.#tiers.invalidate([keyScope(this.#store.address(key))]);
  }

  /** Removes entries everywhere; one Redis round trip for each 1,000. */
  async invalidateMany(keys: readonly string[]): Promise<void> {
    return this.#tiers.invalidate(keys.map((key) => keyScope(this.#store.address(key))));
  }

  /** Removes the entries of this namespace that carry one of the tags. O(tags), however many entries there are. */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    tags.forEach(assertTag);
    return this.#tiers.invalidate(tags.map((tag) => tagScope(this.name, tag)));
  }

  /** Removes all entries of this namespace everywhere. */
  clear(): Promise<void> {
    return this.#tiers.invalidate([namespaceScope(this.name)]);
  }

  /** @internal */
  close(): void {
    this.#loads.close();
  }

  #isEnabled(key: string, isCounted = true): boolean {
    if (this.#enabled === undefined) return true;
    try {
      if (this.#enabled(this.name, key)) return true;
    } catch (error) {
      this.warn(`"enabled" failed, the cache is bypassed: ${String(error)}`);
    }
    if (isCounted) this.#store.counters.bypassed++;
    return false;
  }

  #draft(value: unknown, settings: Settings) {
    const freshMs = lifeOf(value, settings);
    const stored = freshMs > 0 ? this.#store.takeIn(value) : undefined;
    if (stored === undefined) return undefined;
    return { stored, freshMs, hardMs: hardLife(freshMs, settings), loadMs: 0, createdAt: Date.now() };
  }
}

const giveOut = (outcome: Outcome, clone: boolean) =>
  'stored' in outcome ? handOut(outcome.stored, clone) : outcome.raw;

const tagsOf = ({ tags }: CacheManyOptions = {}, key: string) =>
  typeof tags === 'function' ? tags(key) : tags;

/** The options without the tags, which go by key. */
function plain({ tags: _tags, ...options }: CacheManyOptions = {}): CacheLoadOptions {
  return options;
}

const neverAborted = () => new AbortController().signal;
