import type { Readable } from 'node:stream';

/** Where an object lies: a local folder, an S3-compatible bucket, or the database. */
export type StorageDriverName = 'folder' | 's3' | 'postgres';

/** Bytes [start, end], both inclusive and counted from 0. An `end` behind the last byte means the last byte. */
export interface ByteRange {
  start: number;
  end: number;
}

export interface StorageCallOptions {
  /** Gives the call up; it then rejects with the reason of the signal, or with an `AbortError`. */
  signal?: AbortSignal;
}

export interface ListedObject {
  key: string;
  sizeBytes: number;
  /** When the object was written; the precision is a second with S3. */
  modifiedAt: Date;
}

/**
 * Keeps immutable byte sequences under keys that the caller makes (lower-case UUIDs). Every method rejects with
 * `StorageKeyError` for another key and with `StorageUnavailableError` when the storage fails.
 */
export interface StorageDriver {
  readonly name: StorageDriverName;

  /**
   * Writes the whole stream under a new key; the object appears at once and whole. The driver owns `body` from
   * now on and may destroy it. When the storage, the signal or `body` fails nothing is left behind, and the call
   * rejects; for a failed `body` with the error of `body`.
   */
  write(key: string, body: Readable, options?: StorageCallOptions): Promise<void>;

  /**
   * Opens a range, or the whole object, in constant memory. Whoever gets the stream must read it to its end or
   * destroy it.
   *
   * @throws {StorageObjectNotFoundError} before the first byte
   * @throws {StorageRangeError} before the first byte
   */
  read(key: string, range?: ByteRange, options?: StorageCallOptions): Promise<Readable>;

  /**
   * The first `lengthBytes` of each of these objects by key, in one round trip; what is not there is left out. For drivers
   * of small objects, where the round trip is most of the cost.
   */
  readHeads?(keys: readonly string[], lengthBytes: number): Promise<Map<string, Buffer>>;

  /** Deletes the object; it is no error when there is none. */
  delete(key: string): Promise<void>;

  /** Every object, in no promised order. Objects that come or go meanwhile may be missing. */
  list(): AsyncIterable<ListedObject>;

  /** Rejects with `StorageUnavailableError` when the driver cannot serve now. For health checks. */
  check(signal?: AbortSignal): Promise<void>;

  /** Closes what the driver opened itself. */
  close?(): Promise<void>;
}
