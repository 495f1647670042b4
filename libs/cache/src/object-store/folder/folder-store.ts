import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import {
  CacheError,
  DamagedObjectError,
  ObjectStoreError,
  ObjectStoreFullError,
} from '../../cache.errors.js';
import { inPieces } from '../byte-streams.js';
import { eachLimited } from '../each-limited.js';
import {
  assertObjectMetadata,
  KEPT_PREFIX,
  type FoundObject,
  type ObjectGetOptions,
  type ObjectHead,
  type ObjectMetadata,
  type ObjectPutOptions,
  type ObjectStore,
  type ObjectStoreStatistics,
} from '../object-store.js';
import { steadyClock } from '../steady-clock.js';
import { FolderFiles, isGone } from './folder-files.js';
import { FolderLayout, type FileAddress } from './folder-layout.js';
import { FolderRoom, timesOf } from './folder-room.js';
import { parseFolderStoreOptions, type FolderStoreOptions } from './folder-store.options.js';
import { encodeHead, ObjectFile, ObjectFileWriter } from './object-file.js';

const WRITE_BYTES = 64 * 1_024;
/** For the head of a file and the rest of its last block. */
const OVERHEAD_BYTES = 4_096;
const PARALLEL = 16;
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT']);

interface NewObject {
  readonly address: FileAddress;
  /** As the file has it: key, ETag, metadata. */
  readonly head: Buffer;
  readonly expiresAt: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Objects as files in a folder of this machine, bounded in size, the longest unused evicted first. It outlives the
 * process, and several processes may share it.
 *
 * An object is written to a temporary file and renamed, so readers see it as a whole or not at all. Only what is below
 * `KEPT_PREFIX` is flushed to the disk (fsync): after a loss of power the last of the others may be missing or damaged.
 * Lengths and checksums tell, and what is damaged is removed and missing.
 */
export class FolderStore implements ObjectStore {
  readonly #layout: FolderLayout;
  readonly #files: FolderFiles;
  readonly #room: FolderRoom;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;

  /** Works at once; what the folder has already is counted in the background. @throws {CacheOptionsError} */
  constructor(options: FolderStoreOptions) {
    const parsed = parseFolderStoreOptions(options);
    this.#now = parsed.now ?? steadyClock();
    this.#layout = new FolderLayout(parsed.path);
    this.#files = new FolderFiles(this.#layout);
    this.#room = new FolderRoom(this.#layout, parsed, this.#now);
    this.#sweepInBackground();
    this.#timer = setInterval(() => this.#sweepInBackground(), parsed.sweepIntervalMs).unref();
  }

  /**
   * @throws {ObjectTooLargeError} when it takes over a quarter of `maxBytes`
   * @throws {ObjectStoreFullError} @throws {ObjectMetadataError} @throws {ObjectStoreError}
   */
  async put(
    key: string,
    body: Readable | Uint8Array,
    metadata: ObjectMetadata = {},
    { ttlMs, signal }: ObjectPutOptions = {},
  ): Promise<void> {
    const stream = body instanceof Readable ? body : undefined;
    // A body that fails while no one reads it yet must not end the process; the loop that reads it sees the failure.
    stream?.on('error', () => undefined);
    try {
      await this.#guard('write', signal, async () => {
        assertObjectMetadata(metadata);
        if (stream !== undefined && signal !== undefined) addAbortSignal(signal, stream);
        const object: NewObject = {
          address: this.#layout.address(key),
          head: encodeHead({ key, etag: randomBytes(12).toString('hex'), metadata }),
          expiresAt: ttlMs === undefined ? Infinity : Math.ceil(this.#now() + ttlMs),
          signal,
        };
        await (body instanceof Readable ? this.#write(object, body) : this.#writeBytes(object, body));
      });
    } catch (error) {
      stream?.destroy();
      throw error;
    }
  }

  /** @throws {ObjectStoreError} */
  async get(
    key: string,
    { ifNoneMatch, signal }: ObjectGetOptions = {},
  ): Promise<FoundObject | 'not-modified' | undefined> {
    return this.#guard('read', signal, async () => {
      const address = this.#layout.address(key);
      const file = await this.#open(key, address);
      if (file === undefined) return undefined;
      const { etag, metadata } = file.head;
      if (etag === ifNoneMatch) {
        await file.close();
        return 'not-modified';
      }
      const body = await this.#bodyOf(file, address);
      if (body === undefined) return undefined;
      if (signal !== undefined) addAbortSignal(signal, body);
      return { body, size: file.bodyBytes, etag, metadata };
    });
  }

  /** @throws {ObjectStoreError} */
  async head(
    key: string,
    { signal }: Pick<ObjectGetOptions, 'signal'> = {},
  ): Promise<ObjectHead | undefined> {
    return this.#guard('read', signal, async () => {
      const file = await this.#open(key, this.#layout.address(key));
      await file?.close();
      return file && { size: file.bodyBytes, etag: file.head.etag, metadata: file.head.metadata };
    });
  }

  /** @throws {ObjectStoreError} */
  async delete(keys: readonly string[]): Promise<void> {
    await this.#guard('delete', undefined, () =>
      eachLimited(keys, PARALLEL, (key) => this.#room.remove(this.#layout.address(key))),
    );
  }

  /** Opens every file, since their names do not tell the keys. @throws {ObjectStoreError} */
  async clear(prefix: string): Promise<number> {
    let cleared = 0;
    const clearOne = async (address: FileAddress) => {
      if (prefix !== '' && !(await this.#hasPrefix(address, prefix))) return;
      await this.#room.remove(address);
      cleared++;
    };
    await this.#guard('clear', undefined, async () => {
      for (const kept of [false, true]) {
        const possible = KEPT_PREFIX.startsWith(prefix) || prefix.startsWith(KEPT_PREFIX) === kept;
        if (possible) await eachLimited(this.#layout.files(kept), PARALLEL, clearOne);
      }
    });
    return cleared;
  }

  /** `errors` counts failures of the work in the background. */
  stats(): ObjectStoreStatistics & { readonly errors: number } {
    return this.#room.stats();
  }

  /** Looks the folder through: counts, removes what has expired and what crashes left. Runs by itself too. */
  async sweep(): Promise<void> {
    await this.#guard('look through', undefined, () => this.#room.sweep());
  }

  /** Waits for the work in the background. The files stay. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#room.close();
  }

  #sweepInBackground(): void {
    this.#room.inBackground(this.#room.sweep());
  }

  /** On a full disk, which has made room by then, it tries once more. */
  async #writeBytes(object: NewObject, bytes: Uint8Array): Promise<void> {
    try {
      await this.#write(object, [bytes]);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.#write(object, [bytes]);
    }
  }

  async #write(
    { address, head, expiresAt, signal }: NewObject,
    chunks: AsyncIterable<unknown> | Iterable<unknown>,
  ): Promise<void> {
    const name = `${process.pid}-${randomUUID()}`;
    const temporary = join(this.#layout.temporary, name);
    try {
      await this.#room.reserve(name, head.length + OVERHEAD_BYTES);
      const handle = await this.#files.create(temporary);
      const writer = new ObjectFileWriter(handle, head);
      try {
        for await (const piece of inPieces(chunks, WRITE_BYTES)) {
          signal?.throwIfAborted();
          await this.#room.reserve(name, piece.length);
          await writer.append(piece);
        }
        await writer.finish(expiresAt);
        await handle.utimes(...timesOf(this.#now(), expiresAt));
        if (address.kept) await handle.sync();
      } finally {
        await handle.close();
      }
      signal?.throwIfAborted();
      await this.#files.publish(temporary, address);
      this.#room.stored(address, name, writer.fileBytes, expiresAt);
    } catch (error) {
      await rm(temporary, { force: true });
      const bytes = this.#room.release(name);
      if (isDiskFull(error)) await this.#room.makeRoom(bytes);
      throw error;
    }
  }

  /** The file of a key, when it is there, whole and not expired. */
  async #open(key: string, address: FileAddress): Promise<ObjectFile | undefined> {
    const file = await this.#openFile(address);
    if (file === undefined) return undefined;
    try {
      // What has expired stays for the sweep, which knows what must go first.
      if (file.head.key === key && (address.kept || file.expiresAt > this.#now())) {
        const touch = this.#room.used(address, file.fileBytes, file.expiresAt);
        if (touch) await file.touch(...timesOf(this.#now(), file.expiresAt));
        return file;
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  async #openFile(address: FileAddress): Promise<ObjectFile | undefined> {
    try {
      return await ObjectFile.open(this.#layout.path(address));
    } catch (error) {
      if (isGone(error)) this.#room.forget(address);
      // What must be kept is not taken for missing: its reader has to know that it is lost.
      else if (error instanceof DamagedObjectError && !address.kept) await this.#room.remove(address);
      else throw error;
      return undefined;
    }
  }

  async #bodyOf(file: ObjectFile, address: FileAddress): Promise<Readable | undefined> {
    const remove = () => this.#room.inBackground(this.#room.remove(address));
    try {
      return await file.body(address.kept ? () => undefined : remove);
    } catch (error) {
      if (error instanceof DamagedObjectError && !address.kept) return undefined;
      throw error;
    }
  }

  async #hasPrefix(address: FileAddress, prefix: string): Promise<boolean> {
    const file = await this.#openFile(address);
    await file?.close();
    return file?.head.key.startsWith(prefix) ?? false;
  }

  async #guard<T>(operation: string, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await run();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof CacheError) throw error;
      if (isDiskFull(error)) throw new ObjectStoreFullError('the disk is full', { cause: error });
      throw new ObjectStoreError('folder', operation, { cause: error });
    }
  }
}

const isDiskFull = (error: unknown) => NO_ROOM.has((error as NodeJS.ErrnoException).code ?? '');
