import { Keyv, type KeyvStoreAdapter, type StoredData } from 'keyv';
import type { CacheNamespace } from '../cache-namespace.js';

/** Keyv has entries without an end; here they end after ten years, or by eviction. Milliseconds. */
const WITHOUT_END_MS = 10 * 365 * 24 * 3_600_000;
/** What is left of an entry that the wall clock takes for expired, milliseconds. */
const GRACE_MS = 1_000;

/** What Keyv stores: the value in an envelope of its own. */
export interface KeyvEnvelope {
  readonly value: unknown;
  /** Milliseconds since 1970; absent without an end. */
  readonly expires?: number | undefined;
}

interface KeyvEntry {
  readonly key: string;
  readonly value: unknown;
  readonly ttl?: number | undefined;
}

/** Life of an entry in whole milliseconds; below 0 when it is over already. None and 0 are without an end. */
export function lifeOf(ttl: number | undefined): number {
  return ttl === undefined || ttl === 0 || !(ttl < WITHOUT_END_MS) ? WITHOUT_END_MS : Math.ceil(ttl);
}

/** Whether Keyv takes it for a miss; a Keyv that serialises gives text, which is none. */
const isNothing = (envelope: unknown) =>
  typeof envelope === 'object' && (envelope as KeyvEnvelope).value === undefined;

/**
 * A store for Keyv 5 on a namespace of the cache: memory, Redis and the object store, with everything that holds there. Keep
 * it in a Keyv that serialises nothing, see {@link createKeyv}. Without `iterator`: the cache does not list its keys.
 */
export class PeregrineKeyvStore implements KeyvStoreAdapter {
  readonly opts = { dialect: 'peregrine' };
  /** Keyv writes its own namespace here; keys come with it already. */
  namespace?: string | undefined;

  constructor(private readonly cached: CacheNamespace) {}

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return open<Value>(await this.cached.get<KeyvEnvelope>(key));
  }

  async getMany<Value>(keys: string[]): Promise<StoredData<Value | undefined>[]> {
    const found = await this.cached.getMany<KeyvEnvelope>(keys);
    return keys.map((key) => open<Value>(found.get(key)));
  }

  /** `undefined` removes: for Keyv it is the same as no entry. */
  async set(key: string, envelope: unknown, ttl?: number): Promise<boolean> {
    await this.setMany([{ key, value: envelope, ttl }]);
    return true;
  }

  /** One call of the cache for each life time among the entries. */
  async setMany(entries: readonly KeyvEntry[]): Promise<void> {
    const gone: string[] = [];
    const kept = new Map<number, [string, unknown][]>();
    for (const { key, value, ttl } of new Map(entries.map((it) => [it.key, it])).values()) {
      const ttlMs = lifeOf(ttl);
      if (ttlMs <= 0 || isNothing(value)) gone.push(key);
      else kept.set(ttlMs, [...(kept.get(ttlMs) ?? []), [key, value]]);
    }
    const writes = [...kept].map(([ttlMs, of]) => this.cached.setMany(of, { ttlMs }));
    await Promise.all([gone.length > 0 && this.cached.invalidateMany(gone), ...writes]);
  }

  async delete(key: string): Promise<boolean> {
    await this.cached.invalidate(key);
    return true;
  }

  async deleteMany(keys: string[]): Promise<boolean> {
    await this.cached.invalidateMany(keys);
    return true;
  }

  async has(key: string): Promise<boolean> {
    return (await this.cached.get(key)) !== undefined;
  }

  /** The whole namespace. */
  clear(): Promise<void> {
    return this.cached.clear();
  }

  /** Nothing happens here that could fail: the cache never rejects for a tier. */
  on(): this {
    return this;
  }
}

/**
 * What is in the tiers is alive: they measure durations, whatever the wall clocks of two machines say. So an envelope whose
 * time has passed by this machine's clock is given a last moment, or Keyv would throw the entry away for all machines.
 */
function open<Value>(envelope: KeyvEnvelope | undefined): StoredData<Value> {
  if (envelope?.expires === undefined) return envelope as StoredData<Value>;
  return { ...envelope, expires: Math.max(envelope.expires, Date.now() + GRACE_MS) } as StoredData<Value>;
}

/**
 * A Keyv on a namespace of the cache, for cache-manager, cacheable and all that takes a Keyv. Values are kept as they
 * are, not as JSON: Date, Map, Set, BigInt and Buffer survive.
 * @param ttl life of an entry unless the call says otherwise, milliseconds; without it entries have no end.
 */
export function createKeyv(namespace: CacheNamespace, ttl?: number): Keyv {
  const keyv = new Keyv({
    store: new PeregrineKeyvStore(namespace),
    ttl,
    namespace: undefined,
    useKeyPrefix: false,
  });
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  return keyv;
}
