import { InvalidTtlError, InvalidWeightError } from '../cache.errors.js';
import { entryBytes, estimateBytes } from './heap-size.js';
import {
  isTtl,
  parseMemoryLimits,
  parseMemoryTierOptions,
  type MemoryLimits,
  type MemoryTierOptions,
  type RemovalReason,
} from './memory-tier.options.js';
import { AdaptivePolicy } from './policy/adaptive-policy.js';
import { hashOf } from './policy/key-hash.js';

export type { MemoryLimits, MemoryTierOptions, RemovalReason } from './memory-tier.options.js';

/** Options of one `set`. */
export interface MemorySetOptions {
  /** Life of the entry, whole milliseconds. @default the tier's `ttlMs` */
  readonly ttlMs?: number;
  /** What the entry counts for against `maxBytes`, in place of `weigh`. */
  readonly bytes?: number;
}

interface Removal<V> {
  readonly key: string;
  readonly value: V;
  readonly reason: RemovalReason;
}

/** Time of what does not expire. */
const NEVER = Infinity;
/** Entries that each `set` looks at for expiry, so that the dead leave as fast as the living come. */
const LOOK_AT_SET = 2;
/** Entries that one `sweep` looks at: well under a millisecond when few of them are expired. */
const LOOK_AT_SWEEP = 10_000;

/**
 * Values in memory, bounded by entries and by bytes, each with a life time on a monotonic clock. What is kept is what
 * the load shows to be worth it (`AdaptivePolicy`), so a value may leave soon after it was set. Values are kept and
 * handed out as they are, without a copy. Every operation is O(1) but where it says otherwise. `undefined` can be
 * kept; `has` tells it from nothing.
 */
export class MemoryTier<V> {
  readonly #ids = new Map<string, number>();
  /** By id, as the policy gave it. */
  readonly #keys: (string | undefined)[] = [];
  readonly #values: (V | undefined)[] = [];
  /** Milliseconds of the clock; `NEVER` also when there is no entry. */
  #expiries = new Float64Array(0);
  readonly #policy: AdaptivePolicy;
  readonly #ttlMs: number | undefined;
  readonly #weigh: (value: V, key: string) => number;
  readonly #now: () => number;
  readonly #onRemove: MemoryTierOptions<V>['onRemove'];
  /** Removals that `onRemove` has not been told of: it may call back, and shall find all in order. */
  readonly #removals: Removal<V>[] = [];
  /** Where `sweep` goes on, and where `set` looks. */
  #sweepAt = 0;
  #lookAt = 0;

  /** @throws {CacheOptionsError} */
  constructor(options: MemoryTierOptions<V> = {}) {
    const parsed = parseMemoryTierOptions(options);
    const { maxEntries, maxBytes } = parsed;
    this.#policy = new AdaptivePolicy({ maxEntries, maxBytes }, (id) => this.#vacate(id, 'evict'));
    this.#ttlMs = parsed.ttlMs;
    this.#weigh = parsed.weigh ?? ((value, key) => estimateBytes(value) + entryBytes(key));
    this.#now = parsed.now ?? (() => performance.now());
    this.#onRemove = parsed.onRemove;
  }

  /** Entries that are kept, those among them that are expired and not yet removed included. */
  get size(): number {
    return this.#policy.size;
  }

  /** What they count for. */
  get bytes(): number {
    return this.#policy.bytes;
  }

  get maxEntries(): number {
    return this.#policy.bounds.maxEntries;
  }

  get maxBytes(): number {
    return this.#policy.bounds.maxBytes;
  }

  /** What the policy keeps beside the entries; bounded by what the tier may hold. */
  get sideTables(): { readonly sketchBytes: number; readonly shadowEntries: number } {
    return this.#policy.sideTables;
  }

  /** The value, or undefined when there is none or its time is over. Does not allocate. */
  get(key: string): V | undefined {
    const id = this.#ids.get(key);
    if (id === undefined) return undefined;
    const expiry = this.#expiries[id]!;
    if (expiry !== NEVER && expiry <= this.#now()) {
      this.#remove(id, 'expire');
      return undefined;
    }
    this.#policy.hit(id);
    return this.#values[id];
  }

  /** As `get`, but does not count as use. */
  peek(key: string): V | undefined {
    const id = this.#live(key);
    return id === undefined ? undefined : this.#values[id];
  }

  /** Does not count as use. */
  has(key: string): boolean {
    return this.#live(key) !== undefined;
  }

  /**
   * Keeps the value in place of an older one. A value that alone is over `maxBytes` is not kept, nor is the older one.
   * @throws {InvalidTtlError}
   * @throws {InvalidWeightError} Both leave everything as it was.
   */
  set(key: string, value: V, options?: MemorySetOptions): void {
    const ttlMs = options?.ttlMs ?? this.#ttlMs;
    if (ttlMs !== undefined && !isTtl(ttlMs)) throw new InvalidTtlError(ttlMs);
    const bytes = options?.bytes ?? this.#weigh(value, key);
    if (!(bytes >= 0 && bytes < Infinity)) throw new InvalidWeightError(bytes);
    const id = this.#ids.get(key);
    if (bytes > this.maxBytes) {
      if (id !== undefined) this.#remove(id, 'replace');
      return;
    }
    const now = ttlMs === undefined ? 0 : this.#now();
    const expiry = ttlMs === undefined ? NEVER : now + ttlMs;
    if (id === undefined) this.#add(key, value, expiry, bytes);
    else this.#replace(id, value, expiry, bytes);
    if (ttlMs !== undefined) this.#lookAt = this.#look(this.#lookAt, LOOK_AT_SET, now);
    this.#policy.settle();
    this.#tell();
  }

  /** True when there was an entry whose time was not over. */
  delete(key: string): boolean {
    const id = this.#live(key);
    if (id === undefined) return false;
    this.#remove(id, 'delete');
    return true;
  }

  /** Deletes the entry when it still holds this very value. */
  deleteIf(key: string, value: V): boolean {
    const id = this.#live(key);
    if (id === undefined || !Object.is(this.#values[id], value)) return false;
    this.#remove(id, 'delete');
    return true;
  }

  /** Deletes what the predicate says yes to; how many. O(entries). */
  deleteWhere(predicate: (key: string, value: V) => boolean): number {
    let deleted = 0;
    for (const key of [...this.keys()]) {
      const id = this.#ids.get(key);
      if (id === undefined || !predicate(key, this.#values[id] as V)) continue;
      if (this.#ids.get(key) !== id) continue;
      this.#remove(id, 'delete');
      deleted++;
    }
    return deleted;
  }

  /** O(entries). */
  clear(): void {
    for (const id of this.#ids.values()) {
      this.#policy.remove(id);
      this.#vacate(id, 'clear');
    }
    this.#tell();
  }

  /** Keys of the entries whose time is not over, in the order in which they were first set. */
  *keys(): Generator<string, void, undefined> {
    const now = this.#now();
    for (const [key, id] of this.#ids) if (this.#expiries[id]! > now) yield key;
  }

  /**
   * Changes the limits and evicts what is over them. O(entries evicted).
   * @throws {CacheOptionsError}
   */
  resize(limits: Partial<MemoryLimits>): void {
    this.#policy.resize(parseMemoryLimits({ ...this.#policy.bounds, ...limits }));
    this.#tell();
  }

  /**
   * Removes expired entries among the next `limit`; true when it came to the end, and the next call starts anew. A
   * caller that wants all gone repeats it until true, and lets others run in between.
   */
  sweep(limit: number = LOOK_AT_SWEEP): boolean {
    this.#sweepAt = this.#look(this.#sweepAt, limit, this.#now());
    this.#tell();
    return this.#sweepAt === 0;
  }

  #live(key: string): number | undefined {
    const id = this.#ids.get(key);
    if (id === undefined) return undefined;
    const expiry = this.#expiries[id]!;
    if (expiry === NEVER || expiry > this.#now()) return id;
    this.#remove(id, 'expire');
    return undefined;
  }

  #add(key: string, value: V, expiry: number, bytes: number): void {
    const id = this.#policy.add(hashOf(key), bytes);
    if (id >= this.#expiries.length) this.#grow();
    this.#ids.set(key, id);
    this.#keys[id] = key;
    this.#values[id] = value;
    this.#expiries[id] = expiry;
  }

  #replace(id: number, value: V, expiry: number, bytes: number): void {
    this.#note(id, 'replace');
    this.#values[id] = value;
    this.#expiries[id] = expiry;
    this.#policy.replace(id, bytes);
  }

  #grow(): void {
    const expiries = new Float64Array(this.#policy.idLimit).fill(NEVER);
    expiries.set(this.#expiries);
    this.#expiries = expiries;
    // Filled in order, so that the arrays stay packed.
    while (this.#keys.length < expiries.length) {
      this.#keys.push(undefined);
      this.#values.push(undefined);
    }
  }

  /** Removes what is expired of so many entries; where to go on, 0 after the last. */
  #look(from: number, limit: number, now: number): number {
    const end = Math.min(this.#expiries.length, from + limit);
    for (let id = from; id < end; id++) {
      if (this.#expiries[id]! > now) continue;
      this.#policy.remove(id);
      this.#vacate(id, 'expire');
    }
    return end < this.#expiries.length ? end : 0;
  }

  #remove(id: number, reason: RemovalReason): void {
    this.#policy.remove(id);
    this.#vacate(id, reason);
    this.#tell();
  }

  /** The policy has given the id up. */
  #vacate(id: number, reason: RemovalReason): void {
    this.#note(id, reason);
    this.#ids.delete(this.#keys[id]!);
    this.#keys[id] = undefined;
    this.#values[id] = undefined;
    this.#expiries[id] = NEVER;
  }

  #note(id: number, reason: RemovalReason): void {
    if (this.#onRemove === undefined) return;
    this.#removals.push({ key: this.#keys[id]!, value: this.#values[id] as V, reason });
  }

  #tell(): void {
    while (this.#removals.length > 0) {
      const { key, value, reason } = this.#removals.shift()!;
      this.#onRemove!(key, value, reason);
    }
  }
}
