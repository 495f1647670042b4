import { Logger } from '@nestjs/common';
import type { CacheOptions, NamespaceOptions } from './cache.options.js';
import { publishInvalidate, publishRedis, publishSuspect } from './events/events.js';
import { systemClock, type CacheClock, type ClockTimer } from './clock.js';
import { createCodec, type Codec } from './codec/codec.js';
import { Generations } from './coherence/generations.js';
import { FLUSH_SCOPE, type Scope } from './coherence/scopes.js';
import type { NotedGenerations } from './entry.js';
import { ObjectSide } from './object-store/object-side.js';
import type { ObjectTier } from './object-store/object-tier.js';
import { EntryMemory } from './memory/entry-memory.js';
import { RedisSide, type RedisState } from './redis/redis-side.js';
import type { Lease, RedisTier } from './redis/redis-tier.js';
import { RedisCounters } from './statistics/counters.js';
import type { ObjectStoreStatistics, RedisStatistics } from './statistics/statistics.js';

const WITHOUT_REDIS: RedisState = {
  available: false,
  subscribed: false,
  breakerOpen: false,
  pendingInvalidations: 0,
  lastError: null,
  servers: [],
};

/** Above every life time: a hit is noted too. */
const LONGEST_MS = 2 ** 52;
const QUIET_MS = 60_000;

const WITHOUT_OBJECTS: ObjectStoreStatistics = {
  configured: false,
  available: false,
  errors: 0,
  entries: null,
  bytes: null,
  maxBytes: null,
  evictions: null,
};

/** Owns the tiers and keeps them coherent; the namespaces work on it. */
export class Tiers {
  readonly clock: CacheClock;
  readonly generations: Generations;
  readonly memory: EntryMemory;
  /** Longest life of a copy in memory, milliseconds. */
  readonly memoryTtlMs: number;
  /** How the entries of a namespace look outside of this process. */
  readonly codecs = new Map<string, Codec>();
  readonly #redis: RedisSide | undefined;
  #quietUntil = -Infinity;
  #sweeping: ClockTimer | undefined;
  #closed = false;
  readonly #objects: ObjectSide | undefined;
  readonly #namespaces = new Map<string, NamespaceOptions>();
  readonly #logger = new Logger('Cache');
  readonly #background = new Set<Promise<unknown>>();
  #opening: Promise<void> | undefined;

  constructor(readonly options: CacheOptions) {
    this.clock = options.clock ?? systemClock;
    this.memoryTtlMs = options.memory.ttlMs ?? (options.redis || options.objectStore ? 60_000 : Infinity);
    this.generations = new Generations([]);
    for (const [name, it] of Object.entries(options.namespaces)) this.declare(name, it);
    this.memory = new EntryMemory(options.memory, this.generations, () => this.clock.now());
    this.#redis = options.redis && this.#buildRedis(options.prefix, options.redis);
    this.#objects = options.objectStore && this.#buildObjects(options.objectStore);
  }

  /** Makes a namespace known that is not in the options. */
  declare(name: string, options: NamespaceOptions): void {
    this.generations.declare(name);
    this.codecs.set(name, createCodec(options));
    this.#namespaces.set(name, options);
  }

  /** Tier 2 while it can be used, at least for some entries. */
  get redis(): RedisTier | undefined {
    return this.#redis?.tier.ready === true ? this.#redis.tier : undefined;
  }

  /** Tier 2 while it can be used for this entry. */
  redisFor(entry: Scope): RedisTier | undefined {
    return this.#redis?.tier.readyFor(entry) === true ? this.#redis.tier : undefined;
  }

  /** The first connection to Redis while it is being made; it takes no longer than the deadline of one operation. */
  get opening(): Promise<void> | undefined {
    return this.#opening;
  }

  /** Tier 3 while it can be used. */
  get objects(): ObjectTier | undefined {
    return this.#objects?.tier.available === true ? this.#objects.tier : undefined;
  }

  /** Values of this size and above belong into tier 3, bytes. */
  get objectMinBytes(): number {
    return this.#objects?.minBytes ?? Infinity;
  }

  /** The generations where Redis does not keep them. */
  async noteWithoutRedis(
    entry: Scope,
    dependencies: readonly Scope[],
  ): Promise<NotedGenerations | undefined> {
    return this.#objects?.generations?.note(entry, dependencies);
  }

  /** The generations of an entry and what it depends on, from whoever keeps them. Undefined when they are not known. */
  async note(entry: Scope, dependencies: readonly Scope[]): Promise<NotedGenerations | undefined> {
    if (this.#objects?.generations !== undefined) return this.noteWithoutRedis(entry, dependencies);
    const answer = await this.redisFor(entry)?.read(entry, dependencies, { refreshMs: LONGEST_MS });
    return answer?.noted;
  }

  /** Keeps the generations alive for a value in tier 3. False when one has moved, undefined when that is not known. */
  async hold(entry: Scope, noted: NotedGenerations, ms: number, lease?: Lease): Promise<boolean | undefined> {
    const generations = this.#objects?.generations;
    return generations === undefined
      ? this.redis?.hold(entry, noted, ms, lease)
      : generations.hold(entry, noted);
  }

  /** As `invalidate`, but for this process. */
  async invalidateBelow(scopes: readonly Scope[]): Promise<void> {
    await Promise.all([this.#redis?.tier.invalidate(scopes), this.#objects?.invalidate(scopes)]);
  }

  /** Work that nobody waits for, but `close` does. */
  track(work: Promise<unknown>): void {
    this.#background.add(work);
    void work.finally(() => this.#background.delete(work));
  }

  get redisState(): RedisStatistics {
    const { state = WITHOUT_REDIS, counters = new RedisCounters() } = this.#redis ?? {};
    return { configured: this.#redis !== undefined, ...state, ...counters };
  }

  get objectState(): ObjectStoreStatistics {
    return this.#objects?.state ?? WITHOUT_OBJECTS;
  }

  /** Connects in the background; resolves when that is done, or after the deadline of one operation. */
  open(): Promise<void> {
    this.#sweepLater();
    this.#opening ??= this.#redis?.open().finally(() => (this.#opening = undefined));
    return this.#opening ?? Promise.resolve();
  }

  async close(): Promise<void> {
    if (this.#sweeping !== undefined) this.clock.clearTimeout(this.#sweeping);
    this.#closed = true;
    await Promise.allSettled(this.#background);
    await Promise.all([this.#redis?.close(), this.#objects?.close()]);
  }

  /**
   * Invalidates in this process before it returns, in Redis and the other processes before it resolves,
   * or, when Redis can not be reached, as soon as it can. Never rejects.
   */
  async invalidate(scopes: readonly Scope[]): Promise<void> {
    for (const scope of scopes) this.#invalidateHere(scope);
    publishInvalidate(scopes, 'local');
    await this.invalidateBelow(scopes);
  }

  #sweepLater(): void {
    this.#sweeping = this.clock.setTimeout(() => this.#sweep(), this.options.memory.sweepIntervalMs);
  }

  /** In steps, so that a million expired entries do not hold up the event loop. */
  #sweep(): void {
    if (this.#closed) return;
    if (this.memory.sweep()) this.#sweepLater();
    else setImmediate(() => this.#sweep());
  }

  #invalidateHere(scope: Scope): void {
    // The stamp comes first: whatever is stored from here on was loaded under it.
    this.generations.raise(scope);
    if (scope === FLUSH_SCOPE) this.memory.clear();
    else if (scope.startsWith('k:')) this.memory.delete(scope.slice(2));
    else if (scope.startsWith('n:')) this.memory.clearNamespace(scope.slice(2));
    // Entries with a raised tag are found out when they are touched.
  }

  #buildObjects(options: NonNullable<CacheOptions['objectStore']>): ObjectSide {
    return new ObjectSide(options, this.options, this.codecs, this.#namespaces, {
      onProblem: (error) => this.#warnOfWrites(error),
      note: (entry, scopes) => this.note(entry, scopes),
      onAvailable: () => this.#logger.log('The object store is available'),
      onUnavailable: (cause) => this.#logger.warn(`Working without the object store: ${cause}`),
    });
  }

  /** Each is counted; a full disk must not fill the log too. */
  #warnOfWrites(error: unknown): void {
    const now = this.clock.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + QUIET_MS;
    this.#logger.warn(`The object store did not take an entry: ${String(error)} (told once a minute)`);
  }

  #buildRedis(prefix: string, options: NonNullable<CacheOptions['redis']>): RedisSide {
    return new RedisSide(options, prefix, this.codecs, this.generations, {
      onInvalidated: (scopes) => {
        scopes.forEach((scope) => this.#invalidateHere(scope));
        publishInvalidate(scopes, 'remote');
      },
      onSuspicion: (reason) => {
        this.generations.suspect();
        if (reason === undefined) return;
        this.#logger.warn(`Memory is checked against Redis: ${reason}`);
        publishSuspect(undefined, reason);
      },
      onAvailable: (server) => {
        this.#logger.log(`Redis at ${server} is available`);
        publishRedis(true);
      },
      onUnavailable: ({ code, message }) => {
        this.#logger.error(`Working without it: ${message} (${code})`);
        publishRedis(false, message);
      },
    });
  }
}
