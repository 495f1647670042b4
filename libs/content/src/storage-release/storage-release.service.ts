import { Injectable } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { isForeignKeyViolation, Transactions } from '@peregrine/database';
import { TaskQueue } from '@peregrine/task-queue';
import { releaseStorage } from '../content.tasks.js';
import { ObjectStore } from '../storage/object-store.js';
import { type StorageDriverName } from '../storage/storage-driver.js';

const RESOURCES_PER_TASK = 500;

interface ReleasedResource {
  driver: StorageDriverName;
  key: string;
  sha256: string;
}

/** Gives stored contents back once no file refers to them. */
@Injectable()
export class StorageReleaseService {
  constructor(
    private readonly transactions: Transactions,
    private readonly tasks: TaskQueue,
    private readonly store: ObjectStore,
    private readonly cache: Cache,
  ) {}

  /**
   * Asks for it in the background, once the current transaction has committed and what was registered before has run:
   * a task of the transaction itself might remove an object before the caches are told. A lost one is swept up.
   */
  async releaseAfterCommit(resourceIds: readonly string[]): Promise<void> {
    for (let start = 0; start < resourceIds.length; start += RESOURCES_PER_TASK) {
      const chunk = resourceIds.slice(start, start + RESOURCES_PER_TASK);
      await this.transactions.afterCommit(async () => {
        await this.tasks.submit(releaseStorage, { resourceIds: chunk });
      });
    }
  }

  /**
   * Removes those of the resources that nothing refers to: the row first, so that a new file of the same
   * content stores it anew, then the object, and what the cache has of the content. A crash between leaves an object
   * without a row, which the orphan sweep finds, and cached bytes that nobody is led to, for their life time.
   *
   * @returns how many were removed
   */
  async release(resourceIds: readonly string[]): Promise<number> {
    const hashes: string[] = [];
    try {
      for (const id of resourceIds) {
        const resource = await this.#deleteIfUnused(id);
        if (!resource) continue;
        hashes.push(resource.sha256);
        await this.store.remove(resource);
      }
    } finally {
      await this.cache.invalidateContent(hashes);
    }
    return hashes.length;
  }

  /** Old resources that nothing refers to: submitting their release may have been lost. Walks over the whole table. */
  async unusedResources(limit: number): Promise<string[]> {
    const rows = await this.transactions.manager.query<{ id: string }[]>(
      `SELECT r.id FROM storage_resources r
        WHERE r.created_at < now() - interval '1 hour'
          AND NOT EXISTS (SELECT FROM file_storages s WHERE s.storage_resource_id = r.id)
        LIMIT $1`,
      [limit],
    );
    return rows.map((it) => it.id);
  }

  /** Which of these objects no resource knows. */
  async withoutResource(keys: readonly string[]): Promise<Set<string>> {
    const rows = await this.transactions.manager.query<{ key: string }[]>(
      `SELECT t.key FROM unnest($1::uuid[]) AS t (key)
        WHERE NOT EXISTS (SELECT FROM storage_resources r WHERE r.object_key = t.key)`,
      [keys],
    );
    return new Set(rows.map((it) => it.key));
  }

  async #deleteIfUnused(id: string): Promise<ReleasedResource | undefined> {
    try {
      // TypeORM gives a DELETE … RETURNING as [rows, count].
      const [rows] = await this.transactions.manager.query<[ReleasedResource[], number]>(
        `DELETE FROM storage_resources r
          WHERE r.id = $1 AND NOT EXISTS (SELECT FROM file_storages s WHERE s.storage_resource_id = r.id)
        RETURNING r.driver, r.object_key AS key, r.sha256`,
        [id],
      );
      return rows[0];
    } catch (error) {
      // An upload of the same content referred to it between the check and the delete: it stays.
      if (isForeignKeyViolation(error)) return undefined;
      throw error;
    }
  }
}
