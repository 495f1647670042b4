import type { Readable } from 'node:stream';
import { ObjectMetadataError, ObjectTooLargeError } from '../cache.errors.js';

/**
 * Objects whose key begins with this are never evicted, and their `ttlMs` is the least they live: until the store has
 * removed one it is read, expired or not. The cache keeps a bounded number of small ones there (see
 * `StoreGenerations`); to lose one early could bring a stale value back.
 */
export const KEPT_PREFIX = 'kept/';

/** Bound of all names and values of an object's metadata, in the form of `encodeURIComponent`, bytes. */
export const MAX_METADATA_BYTES = 1_024;

/** Small facts about an object. Names: lower-case letters, digits and `-`, up to 32. Values: any text. */
export type ObjectMetadata = Readonly<Record<string, string>>;

/** What is known of an object without its body. */
export interface ObjectHead {
  /** Bytes of the body. */
  readonly size: number;
  /** Another one after every `put` that changed the body; without quotes. */
  readonly etag: string;
  readonly metadata: ObjectMetadata;
}

export interface FoundObject extends ObjectHead {
  /** To be read to its end or destroyed. An end without an error means that every byte was delivered. */
  readonly body: Readable;
}

export interface ObjectPutOptions {
  /** Life of the object, milliseconds. @default until it is evicted or deleted */
  readonly ttlMs?: number;
  readonly signal?: AbortSignal;
}

export interface ObjectGetOptions {
  /** The reader has the body under this ETag; when it is still the same, none is sent. */
  readonly ifNoneMatch?: string;
  /** Also ends the body while it is read. */
  readonly signal?: AbortSignal;
}

/** What a store knows without asking. */
export interface ObjectStoreStatistics {
  /** Objects that this process knows of. */
  readonly entries: number;
  /** Room they take, bytes. */
  readonly bytes: number;
  /** Bound of `bytes`. */
  readonly maxBytes?: number;
  /** Objects that were removed for want of room, since the start of this process. */
  readonly evictions: number;
}

/**
 * A place for large or long-lived bytes: a folder, a bucket. Implement it to use another one; the conformance suite
 * is `objectStoreContract` in `@peregrine/cache/testing`.
 *
 * Any text is a key. A `put` is atomic: readers get the old or the new object as a whole, or none. What is lost,
 * damaged or expired is missing, not an error; only what is below {@link KEPT_PREFIX} has to outlive a crash of the
 * machine, and rejects when damaged. Every method may reject; the cache keeps that from its callers.
 */
export interface ObjectStore {
  /**
   * Keeps a body under a key, in place of what was there. When it rejects, what was there may be gone, and the new
   * body is not there. A stream is read to its end or destroyed, in constant memory.
   */
  put(
    key: string,
    body: Readable | Uint8Array,
    metadata?: ObjectMetadata,
    options?: ObjectPutOptions,
  ): Promise<void>;
  /** Undefined when there is no such object. */
  get(key: string, options?: ObjectGetOptions): Promise<FoundObject | 'not-modified' | undefined>;
  head(key: string, options?: Pick<ObjectGetOptions, 'signal'>): Promise<ObjectHead | undefined>;
  /** Missing objects are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /**
   * Deletes every object whose key begins with the prefix; what is put meanwhile may stay.
   * @returns how many were deleted
   */
  clear(prefix: string): Promise<number>;
  /** Undefined where it would need a question to a server. */
  stats(): ObjectStoreStatistics | undefined;
  /** Deletes what has expired, where the store has to do that itself. */
  sweep?(): Promise<void>;
  close(): Promise<void>;
}

/** For authors of stores. @throws {ObjectMetadataError} @throws {ObjectTooLargeError} */
export function assertObjectMetadata(metadata: ObjectMetadata): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[a-z0-9-]{1,32}$/.test(name)) throw new ObjectMetadataError(`no name: ${JSON.stringify(name)}`);
    if (!value.isWellFormed()) throw new ObjectMetadataError(`"${name}" is no well-formed text`);
    bytes += name.length + encodeURIComponent(value).length;
  }
  if (bytes > MAX_METADATA_BYTES) throw new ObjectTooLargeError('metadata of an object', MAX_METADATA_BYTES);
}
