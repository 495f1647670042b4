import { Inject, Injectable } from '@nestjs/common';
import { Cache, type CacheNamespace } from '@peregrine/cache';
import { Transactions } from '@peregrine/database';
import { Readable } from 'node:stream';
import { fileTag, workspaceTag } from '../content.cache-tags.js';
import { FileNotFoundError } from '../content.errors.js';
import { CONTENT_OPTIONS, type ContentOptions } from '../content.options.js';
import { ObjectStore } from '../storage/object-store.js';
import { type ByteRange, type StorageDriverName } from '../storage/storage-driver.js';
import { ContentPieces } from './content-pieces.js';

/** All that is needed to answer a request for a file's bytes. */
export interface FileLocation {
  id: string;
  path: string;
  name: string;
  mediaType: string;
  sizeBytes: number;
  sha256: string;
  updatedAt: Date;
  object: { driver: StorageDriverName; key: string };
}

/**
 * Loads files: cache, then database, then storage, and back into the cache. Contents are cached by their hash, so they
 * can never be stale, and go when the content goes: those below `streamFromBytes` as a whole, larger ones, which
 * stream in constant memory, in pieces or not at all.
 */
@Injectable()
export class FileContentService {
  readonly #cached: CacheNamespace;
  readonly #pieces: ContentPieces;

  constructor(
    private readonly transactions: Transactions,
    private readonly store: ObjectStore,
    @Inject(CONTENT_OPTIONS) private readonly options: ContentOptions,
    cache: Cache,
  ) {
    this.#cached = cache.namespace('content');
    this.#pieces = new ContentPieces(this.#cached, store);
  }

  /** @throws {FileNotFoundError} */
  async locate(workspaceId: string, fileId: string): Promise<FileLocation> {
    const location = await this.#cached.getOrSet(
      `file:${workspaceId}:${fileId}`,
      () => this.#locateInDatabase(workspaceId, fileId),
      { tags: [fileTag(fileId), workspaceTag(workspaceId)] },
    );
    if (!location) throw new FileNotFoundError(workspaceId, fileId);
    return location;
  }

  /**
   * The bytes of a located file: a buffer when they are cached, else a stream.
   *
   * @throws {StorageUnavailableError}
   * @throws {StorageObjectNotFoundError} when the file was replaced or deleted since it was located
   */
  async open(location: FileLocation, range?: ByteRange, signal?: AbortSignal): Promise<Buffer | Readable> {
    const { streamFromBytes, cachePiecesUpToBytes } = this.options;
    if (location.sizeBytes >= streamFromBytes) {
      return location.sizeBytes <= cachePiecesUpToBytes
        ? this.#pieces.open(location, range, signal)
        : this.store.open(location.object, range, signal ? { signal } : {});
    }
    const bytes = await this.#cached.getOrSet<Buffer>(
      `content:${location.sha256}`,
      (load) => this.store.readAll(location.object, { maxBytes: streamFromBytes, signal: load.signal }),
      { contentHashes: [location.sha256], ...(signal && { signal }) },
    );
    return range ? bytes.subarray(range.start, range.end + 1) : bytes;
  }

  /** Forgets where a file was, after its object turned out to be gone. */
  async forget(location: FileLocation): Promise<void> {
    await this.#cached.invalidateTags([fileTag(location.id)]);
  }

  async #locateInDatabase(workspaceId: string, fileId: string): Promise<FileLocation | null> {
    const [row] = await this.transactions.manager.query<
      (Omit<FileLocation, 'object'> & FileLocation['object'])[]
    >(
      `SELECT f.id, f.path, f.name, f.media_type AS "mediaType", f.size_bytes::float8 AS "sizeBytes", f.sha256,
              f.updated_at AS "updatedAt", r.driver, r.object_key AS key
         FROM files f
         JOIN file_storages s ON s.file_id = f.id
         JOIN storage_resources r ON r.id = s.storage_resource_id
        WHERE f.id = $1 AND f.workspace_id = $2
        LIMIT 1`,
      [fileId, workspaceId],
    );
    if (!row) return null;
    const { driver, key, ...file } = row;
    return { ...file, object: { driver, key } };
  }
}
