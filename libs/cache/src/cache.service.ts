import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CacheNamespace, type CacheManyOptions, type CacheWrapOptions } from './cache-namespace.js';
import { CacheOptionsError, UnknownNamespaceError } from './cache.errors.js';
import {
  parseNamespaceOptions,
  READY_NAMESPACE_NAMES,
  type CacheOptions,
  type NamespaceOptions,
  type NamespaceOptionsInput,
} from './cache.options.js';
import { CACHE_OPTIONS } from './cache.tokens.js';
import { FLUSH_SCOPE, tagScope } from './coherence/scopes.js';
import { assertTag, contentTag } from './target.js';
import type { CacheBatchLoader, CacheLoader } from './loads/loader.js';
import type { CacheEntryOptions, CacheLoadOptions } from './loads/settings.js';
import type { NamespaceCounters } from './statistics/counters.js';
import { describeCache, summarize } from './statistics/describe.js';
import { HitRates } from './statistics/hit-rates.js';
import { describeMetrics } from './statistics/metric-families.js';
import type { CacheStatistics, CacheSummary, MetricFamily } from './statistics/statistics.js';
import { Tiers } from './tiers.js';

/** Its namespace is the one that the verbs of the cache itself work on. */
const DEFAULT_NAMESPACE = 'default';

/**
 * The cache of an application: memory, Redis and an object store behind it when configured. No method fails because a tier
 * does. Its own verbs work on the namespace `default`. It is a `MetricSource`: `name` and `collect()`.
 */
@Injectable()
export class Cache implements OnModuleInit, OnApplicationShutdown {
  /** Name of this source of metrics. */
  readonly name = 'cache';
  readonly #tiers: Tiers;
  readonly #namespaces = new Map<string, CacheNamespace>();
  readonly #declared = new Map<string, NamespaceOptions>();
  readonly #counters = new Map<string, NamespaceCounters>();
  readonly #hitRates: HitRates;
  readonly #logger = new Logger('Cache');
  readonly #default: CacheNamespace;

  constructor(@Inject(CACHE_OPTIONS) options: CacheOptions) {
    this.#tiers = new Tiers(options);
    this.#hitRates = new HitRates(this.#counters, this.#tiers.clock);
    for (const [name, it] of Object.entries(options.namespaces)) this.#add(name, it);
    this.#default = this.namespace(DEFAULT_NAMESPACE);
  }

  /**
   * The namespace: `default`, `content`, `search`, `query`, or a declared one. The same object every time.
   * @throws {UnknownNamespaceError}
   */
  namespace(name: string): CacheNamespace {
    const namespace = this.#namespaces.get(name);
    if (namespace === undefined) throw new UnknownNamespaceError(name, [...this.#namespaces.keys()]);
    return namespace;
  }

  /**
   * Declares a namespace beside those of the options, as `CacheModule.forFeature` does; once more with the same options
   * changes nothing.
   * @throws {CacheOptionsError} when they do not fit, or differ from those it was declared with.
   */
  declare(name: string, input: NamespaceOptionsInput): CacheNamespace {
    const options = parseNamespaceOptions(name, input);
    const known = this.#declared.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(options)) {
      throw new CacheOptionsError(`namespace "${name}" is declared twice, with different options`);
    }
    if (known !== undefined) return this.namespace(name);
    this.#tiers.declare(name, options);
    return this.#add(name, options);
  }

  /** See {@link CacheNamespace.get}. */
  get<T>(key: string): Promise<T | undefined> {
    return this.#default.get<T>(key);
  }

  /** See {@link CacheNamespace.getMany}. */
  getMany<T>(keys: readonly string[]): Promise<Map<string, T>> {
    return this.#default.getMany<T>(keys);
  }

  /** See {@link CacheNamespace.set}. */
  set(key: string, value: unknown, options?: CacheEntryOptions): Promise<void> {
    return this.#default.set(key, value, options);
  }

  /** See {@link CacheNamespace.setMany}. */
  setMany(
    entries: Iterable<readonly [key: string, value: unknown]>,
    options?: CacheManyOptions,
  ): Promise<void> {
    return this.#default.setMany(entries, options);
  }

  /** See {@link CacheNamespace.getOrSet}. */
  getOrSet<T>(key: string, loader: CacheLoader<T>, options?: CacheLoadOptions): Promise<T> {
    return this.#default.getOrSet(key, loader, options);
  }

  /** See {@link CacheNamespace.getOrSetMany}. */
  getOrSetMany<T>(
    keys: readonly string[],
    loader: CacheBatchLoader<T>,
    options?: CacheManyOptions,
  ): Promise<Map<string, T | undefined>> {
    return this.#default.getOrSetMany(keys, loader, options);
  }

  /** See {@link CacheNamespace.wrap}. */
  wrap<A extends readonly unknown[], T>(
    run: (...args: A) => Promise<T>,
    options: CacheWrapOptions<A>,
  ): (...args: A) => Promise<T> {
    return this.#default.wrap(run, options);
  }

  /** See {@link CacheNamespace.invalidate}. */
  invalidate(key: string): Promise<void> {
    return this.#default.invalidate(key);
  }

  /** See {@link CacheNamespace.invalidateMany}. */
  invalidateMany(keys: readonly string[]): Promise<void> {
    return this.#default.invalidateMany(keys);
  }

  /** Removes the entries of all namespaces that carry one of the tags. */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    tags.forEach(assertTag);
    return this.#tiers.invalidate(tags.map((tag) => tagScope('', tag)));
  }

  /** Removes the entries of all namespaces that were made from content with one of the hashes. */
  invalidateContent(hashes: string | readonly string[]): Promise<void> {
    return this.invalidateTags([hashes].flat().map(contentTag));
  }

  /** See {@link CacheNamespace.clear}: of the namespace `default`. */
  clear(): Promise<void> {
    return this.#default.clear();
  }

  /** Removes all entries of a namespace. @throws {UnknownNamespaceError} */
  clearNamespace(name: string): Promise<void> {
    return this.namespace(name).clear();
  }

  /** Removes everything under this prefix, in every process. */
  flush(): Promise<void> {
    return this.#tiers.invalidate([FLUSH_SCOPE]);
  }

  /**
   * For times when the process runs short of memory: the memory tier keeps no more than this share of what it has, 0
   * (nothing; reads go to the tiers behind it) to 1 (its whole budget again). Other processes are not affected.
   *
   * @returns bytes that were let go of
   */
  limitMemory(share: number): number {
    return this.#tiers.memory.limit(share);
  }

  /** All figures, as of now. */
  stats(): CacheStatistics {
    const { memory, redisState, objectState } = this.#tiers;
    const { maxBytes, maxEntries } = this.#tiers.options.memory;
    memory.purgeExpired();
    return describeCache({
      namespaces: this.#counters,
      memory: { entries: memory.size, bytes: memory.bytes, maxBytes, maxEntries },
      redis: redisState,
      objectStore: objectState,
      hitRates: this.#hitRates,
    });
  }

  /** The short form of {@link stats}. */
  summary(): CacheSummary {
    return summarize(this.stats());
  }

  /** Metric families for a scrape. */
  collect(): MetricFamily[] {
    return describeMetrics(this.stats());
  }

  /** Connects to Redis in the background; waits for it no longer than the deadline of one operation. */
  onModuleInit(): Promise<void> {
    this.#hitRates.open();
    return this.#tiers.open();
  }

  /** As {@link close}. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /** Lets the writes under way end, and closes the connections; loads under way get their signal. Safe to call twice. */
  async close(): Promise<void> {
    for (const namespace of this.#namespaces.values()) namespace.close();
    this.#hitRates.close();
    await this.#tiers.close();
  }

  #add(name: string, options: NamespaceOptions): CacheNamespace {
    const namespace = new CacheNamespace(name, options, this.#tiers, (message) => this.#logger.warn(message));
    this.#namespaces.set(name, namespace);
    this.#counters.set(name, namespace.counters);
    // What the ready namespaces are born with may still be declared otherwise.
    if (!READY_NAMESPACE_NAMES.includes(name)) this.#declared.set(name, options);
    return namespace;
  }
}
