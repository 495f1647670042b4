import { randomUUID } from 'node:crypto';
import { mkdir, open, opendir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { resolveRange, streamOf, toBuffer } from './byte-streams.js';
import type { ByteRange, ListedObject, StorageCallOptions, StorageDriver } from './storage-driver.js';
import { isMissing, storageFault } from './storage-fault.js';
import { assertStorageKey, isStorageKey } from './storage-key.js';
import { StorageObjectNotFoundError } from './storage.errors.js';

/** Size of the pieces in which objects are read, bytes. */
export const FOLDER_READ_CHUNK_BYTES = 256 * 1024;

/** Age from which an unfinished file is taken for the rest of a crash, milliseconds. Writing renews the age. */
export const TEMPORARY_MAX_AGE_MS = 60 * 60 * 1000;

const SHARD = /^[0-9a-f]{2}$/;
const TEMPORARY = 'tmp';

/**
 * Objects as files `<ab>/<cd>/<key>` below a root folder, where `abcd` are the first digits of the key.
 *
 * An object is written to `tmp/` in the same root, flushed to the disk, renamed, and its folder flushed: after a
 * crash or a loss of power it is there as a whole, or not at all. The root must be one file system. Several
 * processes may share it.
 */
export class FolderStorage implements StorageDriver {
  readonly name = 'folder';
  readonly #root: string;
  /** A 1 for each shard whose folders this process has flushed to the disk. */
  readonly #durableShards = new Uint8Array(0x10000);

  /** @param options.root absolute path; the folder is made on first use */
  constructor(options: { root: string }) {
    this.#root = options.root;
  }

  async write(key: string, body: Readable, options: StorageCallOptions = {}): Promise<void> {
    const target = this.#path(key);
    const temporary = join(this.#root, TEMPORARY, key);
    if (options.signal) addAbortSignal(options.signal, body);
    // A body that fails while no one reads it yet must not end the process; the loop below sees the failure.
    body.on('error', () => undefined);
    try {
      await this.#fill(await this.#guard('write', () => this.#create(temporary)), body);
      await this.#guard('write', () => this.#publish(key, temporary, target));
    } catch (error) {
      body.destroy();
      await this.#guard('clean up', () => rm(temporary, { force: true }));
      throw error;
    }
  }

  async read(key: string, range?: ByteRange, options: StorageCallOptions = {}): Promise<Readable> {
    const path = this.#path(key);
    options.signal?.throwIfAborted();
    const handle = await this.#openExisting(key, path);
    try {
      const { size } = await this.#guard('read', () => handle.stat());
      const bytes = resolveRange(range, size);
      if (bytes && bytes.end - bytes.start >= FOLDER_READ_CHUNK_BYTES) {
        const stream = handle.createReadStream({ ...bytes, highWaterMark: FOLDER_READ_CHUNK_BYTES });
        return options.signal ? addAbortSignal(options.signal, stream) : stream;
      }
      // One piece: the file is closed again before anyone reads, and nothing is left to leak.
      const buffer = await this.#guard('read', () => readPiece(handle, bytes));
      await handle.close();
      return streamOf(buffer);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await this.#guard('delete', () => rm(path, { force: true }));
  }

  async *list(): AsyncIterable<ListedObject> {
    await this.sweepTemporary();
    for await (const first of this.#names(this.#root)) {
      if (!SHARD.test(first)) continue;
      for await (const second of this.#names(join(this.#root, first))) {
        if (!SHARD.test(second)) continue;
        yield* this.#listShard(join(this.#root, first, second));
      }
    }
  }

  /**
   * Deletes what crashes left in `tmp/`. Part of every `list`.
   *
   * @param maxAgeMs files that nobody has written to for longer are deleted
   * @returns how many were deleted
   */
  async sweepTemporary(maxAgeMs = TEMPORARY_MAX_AGE_MS): Promise<number> {
    const folder = join(this.#root, TEMPORARY);
    let deleted = 0;
    for await (const name of this.#names(folder)) {
      const found = await this.#stat(join(folder, name));
      if (!found || Date.now() - found.mtimeMs < maxAgeMs) continue;
      await this.#guard('clean up', () => rm(join(folder, name), { force: true }));
      deleted++;
    }
    return deleted;
  }

  /** Writes and deletes a small file: a full, vanished or read-only disk shows only then. */
  async check(signal?: AbortSignal): Promise<void> {
    const probe = join(this.#root, TEMPORARY, randomUUID());
    await this.#guard('write', async () => {
      signal?.throwIfAborted();
      const handle = await this.#create(probe);
      try {
        await handle.write('x');
      } finally {
        await handle.close();
        await rm(probe, { force: true });
      }
    });
  }

  #path(key: string): string {
    assertStorageKey(key);
    return join(this.#root, key.slice(0, 2), key.slice(2, 4), key);
  }

  async #create(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'wx');
    } catch (error) {
      if (!isMissing(error)) throw error;
      await mkdir(dirname(path), { recursive: true });
      return await open(path, 'wx');
    }
  }

  async #fill(handle: FileHandle, body: Readable): Promise<void> {
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array | string>) {
        // On a handle this goes on where the last write ended, and until every byte is written.
        await this.#guard('write', () => handle.writeFile(toBuffer(chunk)));
      }
      await this.#guard('write', () => handle.sync());
    } finally {
      await handle.close();
    }
  }

  async #publish(key: string, temporary: string, target: string): Promise<void> {
    const folder = dirname(target);
    const shard = Number.parseInt(key.slice(0, 4), 16);
    const made = await mkdir(folder, { recursive: true });
    if (made !== undefined || !this.#durableShards[shard]) {
      // The entries of the shard folders must reach the disk too, whoever made them.
      await syncFolder(dirname(folder));
      await syncFolder(this.#root);
      this.#durableShards[shard] = 1;
    }
    await rename(temporary, target);
    try {
      await syncFolder(folder);
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    }
  }

  async #openExisting(key: string, path: string): Promise<FileHandle> {
    try {
      return await open(path, 'r');
    } catch (error) {
      if (isMissing(error)) throw new StorageObjectNotFoundError(this.name, key, { cause: error });
      throw storageFault(this.name, 'read', error);
    }
  }

  async *#listShard(folder: string): AsyncIterable<ListedObject> {
    for await (const key of this.#names(folder)) {
      if (!isStorageKey(key)) continue;
      const found = await this.#stat(join(folder, key));
      if (found) yield { key, sizeBytes: found.size, modifiedAt: found.mtime };
    }
  }

  /** The names in a folder; none when there is no such folder. */
  async *#names(folder: string): AsyncIterable<string> {
    try {
      for await (const entry of await opendir(folder)) yield entry.name;
    } catch (error) {
      if (!isMissing(error)) throw storageFault(this.name, 'list', error);
    }
  }

  /** `undefined` when the file is gone: another process may have deleted it since its name was read. */
  async #stat(path: string) {
    try {
      return await stat(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw storageFault(this.name, 'list', error);
    }
  }

  async #guard<T>(operation: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw storageFault(this.name, operation, error);
    }
  }
}

async function readPiece(handle: FileHandle, bytes: ByteRange | undefined): Promise<Buffer> {
  if (!bytes) return Buffer.alloc(0);
  const buffer = Buffer.allocUnsafe(bytes.end - bytes.start + 1);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, bytes.start + filled);
    if (bytesRead === 0) throw new Error('The file became shorter while it was read');
    filled += bytesRead;
  }
  return buffer;
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
