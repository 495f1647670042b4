import { Injectable } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { CursorCodec, keysetPage, narrowToPage, type Page, Transactions } from '@peregrine/database';
import { selectColumns } from '@peregrine/query-optimizer/typeorm';
import { type SelectQueryBuilder } from 'typeorm';
import { fileTag, searchTag } from '../content.cache-tags.js';
import { FileNotFoundError } from '../content.errors.js';
import { StorageReleaseService } from '../storage-release/storage-release.service.js';
import { type FileStatus } from './file-status.js';
import { FILE_FIELDS, type FileField, type FileSummary, WorkspaceFile } from './file.entity.js';

export interface ListFilesOptions {
  limit: number;
  cursor?: string | undefined;
  /** Which fields to load; all by default. */
  fields?: readonly FileField[] | undefined;
  /** Only paths that begin with this. */
  pathPrefix?: string | undefined;
}

export interface FileStatistics {
  files: number;
  /** Of all files together; contents that files share count once for each. */
  sizeBytes: number;
  byStatus: Record<FileStatus, number>;
}

/** What is known of a workspace's files; their bytes are `FileContentService`'s. */
@Injectable()
export class FileService {
  constructor(
    private readonly transactions: Transactions,
    private readonly cursors: CursorCodec,
    private readonly storageRelease: StorageReleaseService,
    private readonly cache: Cache,
  ) {}

  /**
   * Ordered by path.
   *
   * @throws {InvalidCursorError} for a cursor of another list, prefix or workspace
   */
  async list(workspaceId: string, options: ListFilesOptions): Promise<Page<Partial<FileSummary>>> {
    const { pathPrefix = '', fields = FILE_FIELDS } = options;
    // The key rides along, whatever the caller selected.
    const columns = [...new Set<FileField>([...fields, 'path'])];
    const page = await keysetPage<Partial<FileSummary>>({
      codec: this.cursors,
      scope: `files:${workspaceId}:${pathPrefix}`,
      limit: options.limit,
      cursor: options.cursor,
      keys: [{ expression: 'f.path', cast: 'text', direction: 'ASC', value: ({ path = '' }) => path }],
      fetch: (query) => selectColumns(narrowToPage(this.#of(workspaceId, pathPrefix), query), columns),
    });
    if (fields.includes('path')) return page;
    return { ...page, items: page.items.map(({ path: _, ...file }) => file) };
  }

  /** @throws {FileNotFoundError} */
  async get(
    workspaceId: string,
    fileId: string,
    fields: readonly FileField[] = FILE_FIELDS,
  ): Promise<Partial<FileSummary>> {
    const query = this.#files().where({ id: fileId, workspaceId });
    const [file] = await selectColumns(query, fields);
    if (!file) throw new FileNotFoundError(workspaceId, fileId);
    return file;
  }

  /** How many files of each status a workspace has; how far an import has come. */
  async statistics(workspaceId: string): Promise<FileStatistics> {
    const rows = await this.transactions.manager.query<
      { status: FileStatus; files: number; bytes: number }[]
    >(
      `SELECT f.status, count(*)::float8 AS files, sum(f.size_bytes)::float8 AS bytes
         FROM files f WHERE f.workspace_id = $1 GROUP BY f.status`,
      [workspaceId],
    );
    const byStatus = { pending: 0, extracted: 0, skipped: 0, failed: 0 };
    for (const row of rows) byStatus[row.status] = row.files;
    return {
      files: rows.reduce((sum, it) => sum + it.files, 0),
      sizeBytes: rows.reduce((sum, it) => sum + it.bytes, 0),
      byStatus,
    };
  }

  /**
   * Deletes a file; its content is removed in the background unless another file shares it.
   *
   * @throws {FileNotFoundError}
   */
  async delete(workspaceId: string, fileId: string): Promise<void> {
    await this.transactions.run(async (manager) => {
      const resources = await manager.query<{ id: string }[]>(
        `SELECT s.storage_resource_id AS id FROM file_storages s WHERE s.file_id = $1`,
        [fileId],
      );
      const [, deleted] = await manager.query<[unknown[], number]>(
        `DELETE FROM files WHERE id = $1 AND workspace_id = $2`,
        [fileId, workspaceId],
      );
      if (deleted === 0) throw new FileNotFoundError(workspaceId, fileId);
      await this.transactions.afterCommit(() =>
        this.cache.invalidateTags([fileTag(fileId), searchTag(workspaceId)]),
      );
      await this.storageRelease.releaseAfterCommit(resources.map((it) => it.id));
    });
  }

  #files(): SelectQueryBuilder<WorkspaceFile> {
    return this.transactions.manager.createQueryBuilder(WorkspaceFile, 'f');
  }

  #of(workspaceId: string, pathPrefix: string): SelectQueryBuilder<WorkspaceFile> {
    return this.#files()
      .where({ workspaceId })
      .andWhere('f.path LIKE :prefix', { prefix: likePrefix(pathPrefix) });
  }
}

/** A LIKE pattern that matches what begins with `prefix`, taken literally. */
function likePrefix(prefix: string): string {
  return `${prefix.replace(/[\\%_]/g, '\\$&')}%`;
}
