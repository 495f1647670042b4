import { createCache, type Cache as CacheManager } from 'cache-manager';
import type { CacheNamespace } from '../cache-namespace.js';
import type { CacheLoader } from '../loads/loader.js';
import { createKeyv, lifeOf, type KeyvEnvelope } from './keyv-store.js';

/** What cache-manager itself takes, as far as it has a meaning here. Milliseconds. */
export interface CacheManagerOptions {
  /** Life of an entry unless the call says otherwise. @default none: entries have no end, as in cache-manager */
  readonly ttl?: number;
  /** `wrap` renews an entry in the background when it has less than this left. @default never */
  readonly refreshThreshold?: number;
}

type PerValue<T> = number | ((value: T) => number);
interface WrapOptions<T> {
  readonly ttl?: PerValue<T>;
  readonly refreshThreshold?: PerValue<T>;
  readonly raw?: boolean;
}

/**
 * The cache of cache-manager on a namespace. `get`, `set`, `mget`, `mset`, `del`, `mdel`, `clear`, `ttl`, `wrap` and the
 * events are those of cache-manager, but for one thing: a `wrap` that misses is a `getOrSet`, so that callers in all places
 * share one load, and a load that a `del` overtook is not stored. `wrap` then emits no `set` event.
 */
export function createCacheManager(
  namespace: CacheNamespace,
  { ttl, refreshThreshold }: CacheManagerOptions = {},
): CacheManager {
  const manager = createCache({
    stores: [createKeyv(namespace, ttl)],
    ...(ttl !== undefined && { ttl }),
    ...(refreshThreshold !== undefined && { refreshThreshold }),
  });
  const wrap = async <T>(
    key: string,
    run: () => T | Promise<T>,
    ttlOrOptions?: PerValue<T> | WrapOptions<T>,
    thresholdOrNone?: PerValue<T>,
  ): Promise<unknown> => {
    const options: WrapOptions<T> =
      typeof ttlOrOptions === 'object'
        ? ttlOrOptions
        : { ttl: ttlOrOptions, refreshThreshold: thresholdOrNone };
    const envelope = await namespace.getOrSet(key, loaderOf(run, options.ttl, ttl));
    const threshold = forValue(options.refreshThreshold, envelope.value) ?? refreshThreshold;
    if (
      envelope.expires !== undefined &&
      threshold !== undefined &&
      envelope.expires - Date.now() < threshold
    ) {
      // cache-manager's own: answers with what is there and refreshes behind it.
      return manager.wrap(key, run, { ...options, ttl: options.ttl ?? ttl });
    }
    return options.raw === true ? envelope : envelope.value;
  };
  return { ...manager, wrap: wrap as CacheManager['wrap'] };
}

interface Envelope<T> extends KeyvEnvelope {
  readonly value: T;
}

/** Brings the value in the envelope in which Keyv will read it. */
const loaderOf =
  <T>(
    run: () => T | Promise<T>,
    ttl: PerValue<T> | undefined,
    otherwise?: number,
  ): CacheLoader<Envelope<T>> =>
  async (context) => {
    const value = await run();
    const life = forValue(ttl, value) ?? otherwise;
    const ttlMs = lifeOf(life);
    if (value === undefined || ttlMs <= 0) context.doNotStore();
    else context.setTtl(ttlMs);
    return life ? { value, expires: Date.now() + life } : { value };
  };

const forValue = <T>(it: PerValue<T> | undefined, value: T) => (typeof it === 'function' ? it(value) : it);
