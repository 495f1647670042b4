import { Injectable, Logger } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { isForeignKeyViolation, isUnavailable, Transactions } from '@peregrine/database';
import { TaskQueue } from '@peregrine/task-queue';
import { randomUUIDv7 } from 'node:crypto';
import { type Readable } from 'node:stream';
import { type EntityManager } from 'typeorm';
import { fileTag, searchTag } from '../content.cache-tags.js';
import { WorkspaceNotFoundError } from '../content.errors.js';
import { extractText } from '../content.tasks.js';
import { StorageReleaseService } from '../storage-release/storage-release.service.js';
import { ObjectStore, type StoredObject } from '../storage/object-store.js';
import { type FileSummary } from './file.entity.js';
import { fileName, parseFilePath } from './file-path.js';
import { mediaTypeOf } from './media-type.js';

export interface UploadOptions {
  /** More bytes than this are refused. */
  limitBytes: number;
  /** What the sender says of the content; see `mediaTypeOf`. */
  mediaType?: string | undefined;
  signal?: AbortSignal;
}

export interface UploadedFile {
  file: FileSummary;
  /** False when the path existed and has a new content now, or the same. */
  created: boolean;
}

/** Takes files in: bytes to storage first, then one transaction that makes them known. */
@Injectable()
export class FileUploadService {
  readonly #log = new Logger(FileUploadService.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly store: ObjectStore,
    private readonly storageRelease: StorageReleaseService,
    private readonly tasks: TaskQueue,
    private readonly cache: Cache,
  ) {}

  /**
   * Stores a stream under a path, replacing what was there. When it resolves, the bytes and the row are
   * durable; when it rejects, nothing has changed, unless the connection to the database broke during the commit:
   * then nobody knows, and the upload can be repeated.
   *
   * @throws {InvalidFilePathError} before a byte is read
   * @throws {WorkspaceNotFoundError}
   * @throws {UploadTooLargeError} {@link UploadInterruptedError} {@link StorageUnavailableError}
   */
  async upload(
    workspaceId: string,
    rawPath: string,
    body: Readable,
    options: UploadOptions,
  ): Promise<UploadedFile> {
    const path = parseFilePath(rawPath);
    const stored = await this.store.put(body, options);
    try {
      return await this.transactions.run((manager) =>
        this.#record(manager, { workspaceId, path, stored, mediaType: mediaTypeOf(path, options.mediaType) }),
      );
    } catch (error) {
      await this.#discard(stored, error);
      if (isForeignKeyViolation(error)) throw new WorkspaceNotFoundError(workspaceId, { cause: error });
      throw error;
    }
  }

  async #record(
    manager: EntityManager,
    upload: { workspaceId: string; path: string; stored: StoredObject; mediaType: string },
  ): Promise<UploadedFile> {
    const resource = await this.#claimResource(manager, upload.stored);
    const { created, ...file } = await this.#upsertFile(manager, upload);
    const replaced = await this.#link(manager, file.id, resource.id);

    // Before anything is removed, so that nobody is sent to an object that is about to go.
    await this.transactions.afterCommit(() =>
      this.cache.invalidateTags([fileTag(file.id), searchTag(upload.workspaceId)]),
    );
    if (resource.key !== upload.stored.key) {
      // The content was there already, from this file or another: the new copy is not needed.
      await this.transactions.afterCommit(() => this.store.remove(upload.stored));
    }
    await this.storageRelease.releaseAfterCommit(replaced);
    if (file.status === 'pending') await this.#submitExtraction(file);
    return { file, created };
  }

  /** In the transaction, so that the row never goes without its task; the same revision is queued once. */
  async #submitExtraction({ id: fileId, revision }: FileSummary): Promise<void> {
    await this.tasks.submit(extractText, { fileId, revision }, { id: `extract-${fileId}-${revision}` });
  }

  /** The row of this content, made or found; locked, so that it cannot be released before the commit. */
  async #claimResource(manager: EntityManager, stored: StoredObject): Promise<{ id: string; key: string }> {
    const [row] = await manager.query<[{ id: string; key: string }]>(
      `INSERT INTO storage_resources AS r (id, sha256, driver, object_key, size_bytes) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (sha256) DO UPDATE SET sha256 = excluded.sha256
       RETURNING r.id, r.object_key AS key`,
      [randomUUIDv7(), stored.sha256, stored.driver, stored.key, stored.sizeBytes],
    );
    return row;
  }

  async #upsertFile(
    manager: EntityManager,
    upload: { workspaceId: string; path: string; stored: StoredObject; mediaType: string },
  ): Promise<FileSummary & { created: boolean }> {
    // The same content and type keep their text, unless its extraction failed, which an upload tries again.
    const kept = `(f.sha256 = excluded.sha256 AND f.media_type = excluded.media_type AND f.status <> 'failed')`;
    const [row] = await manager.query<[FileSummary & { created: boolean }]>(
      `INSERT INTO files AS f (id, workspace_id, path, name, media_type, size_bytes, sha256, status, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', now())
       ON CONFLICT (workspace_id, path) DO UPDATE SET
         media_type = excluded.media_type, size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
         status = CASE WHEN ${kept} THEN f.status ELSE 'pending' END,
         status_detail = CASE WHEN ${kept} THEN f.status_detail END,
         revision = f.revision + CASE WHEN ${kept} THEN 0 ELSE 1 END,
         updated_at = CASE WHEN ${kept} THEN f.updated_at ELSE now() END
       RETURNING f.id, f.path, f.name, f.media_type AS "mediaType", f.size_bytes::float8 AS "sizeBytes", f.sha256, f.status,
                 f.status_detail AS "statusDetail", f.revision, f.created_at AS "createdAt", f.updated_at AS "updatedAt",
                 (f.xmax = 0) AS created`,
      [
        randomUUIDv7(),
        upload.workspaceId,
        upload.path,
        fileName(upload.path),
        upload.mediaType,
        upload.stored.sizeBytes,
        upload.stored.sha256,
      ],
    );
    return row;
  }

  /** @returns the resources that the file referred to before */
  async #link(manager: EntityManager, fileId: string, resourceId: string): Promise<string[]> {
    const [replaced] = await manager.query<[{ id: string }[], number]>(
      `DELETE FROM file_storages WHERE file_id = $1 AND storage_resource_id <> $2 RETURNING storage_resource_id AS id`,
      [fileId, resourceId],
    );
    await manager.query(
      `INSERT INTO file_storages (file_id, storage_resource_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      [fileId, resourceId],
    );
    return replaced.map((it) => it.id);
  }

  /**
   * Takes a stored object back after a failure; what stays, the orphan sweep removes. A commit whose answer was lost
   * may have happened, and then a row refers to the object: it is removed only when that is ruled out.
   */
  async #discard(stored: StoredObject, reason: unknown): Promise<void> {
    if (isUnavailable(reason)) {
      this.#log.warn(
        `Whether object ${stored.key} is referred to is not known; it stays until the orphan sweep`,
      );
      return;
    }
    try {
      const unknown = await this.storageRelease.withoutResource([stored.key]);
      if (unknown.has(stored.key)) await this.store.remove(stored);
    } catch (error) {
      this.#log.warn(
        `Object ${stored.key}, which no file refers to, stays until the orphan sweep: ${String(error)}`,
      );
    }
  }
}
