import type { CacheOptions, NamespaceOptions } from '../cache.options.js';
import type { Codec } from '../codec/codec.js';
import { FLUSH_SCOPE, namespaceOf, type Scope } from '../coherence/scopes.js';
import type { NotedGenerations } from '../entry.js';
import type { ObjectStoreStatistics } from '../statistics/statistics.js';
import { ObjectGate } from './object-gate.js';
import { ObjectTier } from './object-tier.js';
import type { ObjectFormat } from './object-tier.types.js';
import { StoreGenerations } from './store-generations.js';

/** What the owner does and wants to know. */
export interface ObjectSideHooks {
  /** Notes generations, whoever keeps them. */
  note(entry: Scope, scopes: readonly Scope[]): Promise<NotedGenerations | undefined>;
  /** A value or a stream could not be written. */
  onProblem(error: unknown): void;
  onAvailable(): void;
  onUnavailable(cause: string): void;
}

/** Tier 3 as one: the way to the store, the entries in it, and, for a cache without Redis, their generations. */
export class ObjectSide {
  readonly tier: ObjectTier;
  /** Undefined above Redis, which keeps them. */
  readonly generations: StoreGenerations | undefined;
  readonly minBytes: number;
  readonly #gate: ObjectGate;

  constructor(
    options: NonNullable<CacheOptions['objectStore']>,
    cache: Pick<CacheOptions, 'prefix' | 'redis'>,
    codecs: ReadonlyMap<string, Codec>,
    namespaces: ReadonlyMap<string, NamespaceOptions>,
    hooks: ObjectSideHooks,
  ) {
    const { prefix, redis } = cache;
    const { store, timeoutMs, ttlMs } = options;
    this.minBytes = options.minBytes;
    this.#gate = new ObjectGate(store, {
      timeoutMs,
      onAvailable: () => hooks.onAvailable(),
      onUnavailable: (cause) => hooks.onUnavailable(cause),
    });
    const formatOf = (entry: Scope): ObjectFormat => {
      const namespace = namespaceOf(entry);
      const codec = codecs.get(namespace);
      // Namespaces are declared before they keep anything.
      if (codec === undefined) throw new Error(`The namespace "${namespace}" has no codec`);
      return { codec, streams: streamsOf(namespaces.get(namespace)) };
    };
    this.tier = new ObjectTier(this.#gate, {
      prefix,
      ttlMs,
      formatOf,
      note: (entry, scopes) => hooks.note(entry, scopes),
      onProblem: (error) => hooks.onProblem(error),
    });
    this.generations = redis === undefined ? new StoreGenerations(this.#gate, { prefix, ttlMs }) : undefined;
  }

  /** Makes the entries of the scopes misses for all processes, where Redis does not do that, and frees their room. */
  async invalidate(scopes: readonly Scope[]): Promise<void> {
    await this.generations?.raise(scopes);
    if (scopes.includes(FLUSH_SCOPE)) return this.tier.clear();
    await this.tier.remove(scopes.filter((it) => it.startsWith('k:')));
  }

  get state(): ObjectStoreStatistics {
    const stats = this.#gate.store.stats();
    return {
      configured: true,
      available: this.#gate.available,
      errors: this.#gate.errors,
      entries: stats?.entries ?? null,
      bytes: stats?.bytes ?? null,
      maxBytes: stats?.maxBytes ?? null,
      evictions: stats?.evictions ?? null,
    };
  }

  /** The store itself belongs to whoever gave it. */
  async close(): Promise<void> {
    await this.generations?.close();
    this.#gate.close();
  }
}

/** A stream of an encrypted namespace would lie there in clear. */
function streamsOf(options: NamespaceOptions | undefined): ObjectFormat['streams'] {
  if (options?.encryption !== undefined) return 'refused';
  return options?.compression.algorithm === 'none' ? 'plain' : 'compressed';
}
