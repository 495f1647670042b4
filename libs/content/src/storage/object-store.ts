import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { collect } from './byte-streams.js';
import type {
  ByteRange,
  ListedObject,
  StorageCallOptions,
  StorageDriver,
  StorageDriverName,
} from './storage-driver.js';
import type { StorageDrivers } from './storage-drivers.js';
import { storageFault } from './storage-fault.js';
import {
  StorageError,
  StorageObjectNotFoundError,
  StorageUnavailableError,
  UploadInterruptedError,
} from './storage.errors.js';
import type { StorageOptions } from './storage.options.js';
import { STORAGE_DRIVERS, STORAGE_OPTIONS } from './storage.tokens.js';
import { UploadSource } from './upload-source.js';

/** Where an object lies. */
export interface StoredObjectAddress {
  driver: StorageDriverName;
  /** A UUID in lower case. */
  key: string;
}

export interface StoredObject extends StoredObjectAddress {
  sizeBytes: number;
  /** SHA-256 of the bytes, lower-case hexadecimal. */
  sha256: string;
}

export interface PutOptions extends StorageCallOptions {
  /** Largest upload that is taken, bytes. */
  limitBytes: number;
}

export type ListedStoredObject = StoredObjectAddress & Omit<ListedObject, 'key'>;

/**
 * The contents of files, as immutable objects: small ones in the database, the others in the folder or the bucket
 * that the options name. It knows nothing of who refers to an object; the caller keeps addresses, and removes
 * objects without one (`list`).
 */
@Injectable()
export class ObjectStore implements OnApplicationShutdown {
  readonly #drivers: StorageDrivers;
  readonly #options: StorageOptions;

  constructor(
    @Inject(STORAGE_DRIVERS) drivers: StorageDrivers,
    @Inject(STORAGE_OPTIONS) options: StorageOptions,
  ) {
    this.#drivers = drivers;
    this.#options = options;
  }

  /**
   * Stores a stream under a new key while it hashes it, in constant memory. When this rejects, nothing is left in
   * the storage, and `body` is neither destroyed nor read on: its owner decides, who may have to answer first.
   *
   * @throws {UploadTooLargeError}
   * @throws {UploadInterruptedError} `body` failed or closed before its end, or the signal came; see `cause`
   * @throws {StorageUnavailableError}
   */
  async put(body: Readable, options: PutOptions): Promise<StoredObject> {
    const source = new UploadSource(body, options);
    try {
      const { databaseMaxBytes } = this.#options;
      const head = databaseMaxBytes > 0 ? await source.readHead(databaseMaxBytes) : [];
      const small = databaseMaxBytes > 0 && source.ended && source.sizeBytes <= databaseMaxBytes;
      const driver = this.#driver(small ? 'postgres' : this.#options.driver, 'write');
      const key = randomUUID();
      await driver.write(key, source.stream(head), { signal: options.signal });
      return { driver: driver.name, key, sizeBytes: source.sizeBytes, sha256: source.digest() };
    } catch (error) {
      throw source.failure ?? this.#uploadFault(error, source.sizeBytes, options.signal);
    } finally {
      source.release();
    }
  }

  /**
   * Opens a range of an object, or all of it, in constant memory. The stream must be read to its end or destroyed.
   *
   * @throws {StorageObjectNotFoundError} before the first byte
   * @throws {StorageRangeError} before the first byte
   * @throws {StorageUnavailableError} before the first byte; later failures are errors of the stream
   */
  async open(
    object: StoredObjectAddress,
    range?: ByteRange,
    options?: StorageCallOptions,
  ): Promise<Readable> {
    return this.#driver(object.driver, 'read').read(object.key, range, options);
  }

  /**
   * Reads a whole object into memory.
   *
   * @throws {StorageObjectTooLargeError} after at most `maxBytes` and one chunk
   * @throws {StorageObjectNotFoundError}
   * @throws {StorageUnavailableError}
   */
  async readAll(
    object: StoredObjectAddress,
    options: StorageCallOptions & { maxBytes: number },
  ): Promise<Buffer> {
    const stream = await this.open(object, undefined, { signal: options.signal });
    try {
      return await collect(stream, options.maxBytes);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw storageFault(object.driver, 'read', error);
    }
  }

  /**
   * The first bytes of many objects: those of a driver of small objects in one round trip, the others each by itself.
   *
   * @returns in the order of `objects`; what could not be read has its error
   */
  async readHeads(
    objects: readonly (StoredObjectAddress & { lengthBytes: number; signal?: AbortSignal })[],
    maxBytes: number,
  ): Promise<PromiseSettledResult<Buffer>[]> {
    const small = new Map<StorageDriverName, Promise<Map<string, Buffer>>>();
    for (const [name, driver] of this.#drivers) {
      const keys = objects.filter((it) => it.driver === name && it.lengthBytes > 0).map((it) => it.key);
      if (!driver.readHeads || keys.length < 2) continue;
      const heads = driver.readHeads(keys, maxBytes);
      // Those who wait below see its failure; that nobody waits, since all were given up, is no failure.
      heads.catch(() => undefined);
      small.set(name, heads);
    }
    return Promise.allSettled(
      objects.map(async ({ signal, lengthBytes, ...object }) => {
        if (lengthBytes === 0) return Buffer.alloc(0);
        signal?.throwIfAborted();
        const heads = await small.get(object.driver);
        if (!heads) return this.#head(object, Math.min(lengthBytes, maxBytes), signal);
        const head = heads.get(object.key);
        if (!head) throw new StorageObjectNotFoundError(object.driver, object.key);
        return head;
      }),
    );
  }

  /** Deletes an object; it is no error when there is none. */
  async remove(object: StoredObjectAddress): Promise<void> {
    await this.#driver(object.driver, 'delete').delete(object.key);
  }

  /** Every object of every driver, for the sweep of objects that nobody refers to. */
  async *list(): AsyncIterable<ListedStoredObject> {
    for (const driver of this.#drivers.values()) {
      for await (const object of driver.list()) yield { driver: driver.name, ...object };
    }
  }

  /**
   * Checks every driver at once.
   *
   * @throws {StorageUnavailableError} of the first that cannot serve
   */
  async check(signal?: AbortSignal): Promise<void> {
    await Promise.all([...this.#drivers.values()].map((it) => it.check(signal)));
  }

  /** Closes the drivers. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.#drivers.values()].map(async (it) => it.close?.()));
  }

  async #head(
    object: StoredObjectAddress,
    lengthBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Buffer> {
    return collect(await this.open(object, { start: 0, end: lengthBytes - 1 }, { signal }), lengthBytes);
  }

  #driver(name: StorageDriverName, operation: string): StorageDriver {
    const driver = this.#drivers.get(name);
    if (!driver) throw new StorageUnavailableError(name, operation, 'it is not set up');
    return driver;
  }

  #uploadFault(error: unknown, receivedBytes: number, signal: AbortSignal | undefined): StorageError {
    if (error instanceof StorageError) return error;
    if (signal?.aborted) return new UploadInterruptedError(receivedBytes, { cause: error });
    return storageFault(this.#options.driver, 'write', error);
  }
}
