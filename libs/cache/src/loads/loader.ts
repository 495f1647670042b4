/** What the origin says of a value, for a later conditional load (RFC 9110, section 8.8). */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** A value past its fresh time that a loader may confirm instead of bringing a new one. */
export interface StaleValue<T> extends Validators {
  readonly value: T;
  /** Milliseconds since 1970 by the clock of the machine that loaded it. */
  readonly createdAt: number;
}

/** What a loader is told, and what it may say of the value it brings. */
export interface LoaderContext<T> {
  readonly key: string;
  /**
   * Aborted when the hard timeout has passed, when the last caller who waits has gone, and when the cache closes.
   */
  readonly signal: AbortSignal;
  /** The old value, when there is one in reach. */
  readonly stale: StaleValue<T> | undefined;
  /**
   * With `singleFlight: 'cluster'`: a number that only rises with each load of this key in the cluster. Give it to a
   * store that can refuse an older one, and a load that was paused for long can do no harm there either.
   */
  readonly fence: number | undefined;
  /** Sets the life time by the value, milliseconds; 0 does not store it. */
  setTtl(ttlMs: number): void;
  /**
   * Tags that only the value tells. The entry is then kept in memory only: an invalidation of such a tag by another
   * process could have gone by unnoticed while the load ran. Name tags with the call wherever you can.
   */
  addTags(...tags: readonly string[]): void;
  /** Kept beside the value and given to the next load as part of `stale`. */
  setValidators(validators: Validators): void;
  /** Return this to keep the stale value for another life time. @throws {CacheLoaderError} when there is none. */
  notModified(): T;
  /** The value goes to those who wait for it, and is not kept. */
  doNotStore(): void;
}

/** Brings the value that is not in the cache. */
export type CacheLoader<T> = (context: LoaderContext<T>) => Promise<T> | T;

/** Brings the values of many keys at once. A key that is not in the answer has the value `undefined`. */
export type CacheBatchLoader<T> = (
  keys: readonly string[],
  context: { readonly signal: AbortSignal },
) => Promise<ReadonlyMap<string, T>> | ReadonlyMap<string, T>;
