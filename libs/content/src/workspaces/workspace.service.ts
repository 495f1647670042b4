import { Injectable } from '@nestjs/common';
import { Cache, type CacheNamespace } from '@peregrine/cache';
import { CursorCodec, keysetPage, narrowToPage, type Page, Transactions } from '@peregrine/database';
import { type Loader, QueryOptimizer } from '@peregrine/query-optimizer';
import { selectColumns } from '@peregrine/query-optimizer/typeorm';
import { randomUUIDv7 } from 'node:crypto';
import { type SelectQueryBuilder } from 'typeorm';
import { workspaceTag } from '../content.cache-tags.js';
import { WorkspaceNotFoundError } from '../content.errors.js';
import { StorageReleaseService } from '../storage-release/storage-release.service.js';
import { Workspace } from './workspace.entity.js';

/** Which workspaces a caller may see: those granted to one API key, or all of them. */
export type Visibility = { grantedTo: string } | 'all';

/** Grants change through this service, which invalidates; the time bounds what a change behind its back can do. */
const VISIBILITY_TTL_MS = 60_000;

const LISTED = ['id', 'name', 'createdAt', 'updatedAt'] as const;

/** Workspaces, and which API keys each is granted to. */
@Injectable()
export class WorkspaceService {
  readonly #cached: CacheNamespace;
  readonly #workspaces: Loader<unknown>;
  readonly #grants: Loader<unknown>;

  constructor(
    private readonly transactions: Transactions,
    private readonly cursors: CursorCodec,
    private readonly storageRelease: StorageReleaseService,
    cache: Cache,
    optimizer: QueryOptimizer,
  ) {
    this.#cached = cache.namespace('content');
    this.#workspaces = optimizer.loaderFor({ table: 'workspaces', key: 'id', columns: ['id'] });
    this.#grants = optimizer.loaderFor({ table: 'api_key_workspaces', key: ['api_key_id', 'workspace_id'] });
  }

  /** Makes a workspace and, in the same transaction, grants it to an API key. */
  create(name: string, options: { grantTo?: string } = {}): Promise<Workspace> {
    return this.transactions.run(async (manager) => {
      const workspace = await manager.save(manager.create(Workspace, { id: randomUUIDv7(), name }));
      if (options.grantTo !== undefined) await this.grant(workspace.id, options.grantTo);
      return workspace;
    });
  }

  /** Lets an API key see a workspace; granting twice is one grant. */
  async grant(workspaceId: string, apiKeyId: string): Promise<void> {
    await this.transactions.manager.query(
      `INSERT INTO api_key_workspaces (api_key_id, workspace_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      [apiKeyId, workspaceId],
    );
    await this.#invalidateAfterCommit(workspaceId);
  }

  /** Whether a workspace exists and the caller may see it. Within a scope of `withLoaders`, as all that follows it. */
  isVisible(workspaceId: string, visibleTo: Visibility): Promise<boolean> {
    return this.#cached.getOrSet(
      visibilityKey(workspaceId, visibleTo),
      async () => (await this.#whichOf([workspaceId], visibleTo)).has(workspaceId),
      { ttlMs: VISIBILITY_TTL_MS, tags: [workspaceTag(workspaceId)] },
    );
  }

  /** Those of the workspaces that exist and the caller may see: one query, whatever their number. */
  async visibleAmong(workspaceIds: readonly string[], visibleTo: Visibility): Promise<Set<string>> {
    const ids = new Map(workspaceIds.map((id) => [visibilityKey(id, visibleTo), id]));
    const idOf = (key: string) => ids.get(key) ?? '';
    const visible = await this.#cached.getOrSetMany(
      [...ids.keys()],
      async (missing) => {
        const found = await this.#whichOf(missing.map(idOf), visibleTo);
        return new Map(missing.map((key) => [key, found.has(idOf(key))]));
      },
      { ttlMs: VISIBILITY_TTL_MS, tags: (key) => [workspaceTag(idOf(key))] },
    );
    return new Set([...visible].filter(([, isVisible]) => isVisible).map(([key]) => idOf(key)));
  }

  /** @throws {WorkspaceNotFoundError} */
  async get(id: string): Promise<Workspace> {
    const workspace = await this.transactions.manager.findOneBy(Workspace, { id });
    if (!workspace) throw new WorkspaceNotFoundError(id);
    return workspace;
  }

  /** Oldest first. */
  list(options: {
    visibleTo: Visibility;
    limit: number;
    cursor?: string | undefined;
  }): Promise<Page<Workspace>> {
    const { visibleTo, limit, cursor } = options;
    return keysetPage<Workspace>({
      codec: this.cursors,
      scope: `workspaces:${visibleTo === 'all' ? 'all' : visibleTo.grantedTo}`,
      limit,
      cursor,
      keys: [
        {
          expression: 'w.createdAt',
          cast: 'timestamptz',
          direction: 'ASC',
          value: (row) => row.createdAt.toISOString(),
        },
        { expression: 'w.id', cast: 'uuid', direction: 'ASC', value: (row) => row.id },
      ],
      fetch: (query) => selectColumns(narrowToPage(this.#visible(visibleTo), query), LISTED),
    });
  }

  /** @throws {WorkspaceNotFoundError} */
  async rename(id: string, name: string): Promise<Workspace> {
    return this.transactions.run(async (manager) => {
      // An update, never a save: TypeORM would insert what was deleted meanwhile.
      const { affected } = await manager.update(Workspace, { id }, { name });
      if (!affected) throw new WorkspaceNotFoundError(id);
      return this.get(id);
    });
  }

  /**
   * Deletes a workspace with all its files; contents that no other file shares are removed in the background.
   *
   * @throws {WorkspaceNotFoundError}
   */
  async delete(id: string): Promise<void> {
    await this.transactions.run(async (manager) => {
      const resources = await manager.query<{ id: string }[]>(
        `SELECT DISTINCT s.storage_resource_id AS id
           FROM files f JOIN file_storages s ON s.file_id = f.id WHERE f.workspace_id = $1`,
        [id],
      );
      const { affected } = await manager.delete(Workspace, { id });
      if (!affected) throw new WorkspaceNotFoundError(id);
      await this.#invalidateAfterCommit(id);
      await this.storageRelease.releaseAfterCommit(resources.map((it) => it.id));
    });
  }

  /** Asked together, one query; asked again in the same request, none. */
  async #whichOf(workspaceIds: readonly string[], visibleTo: Visibility): Promise<Set<string>> {
    const rows =
      visibleTo === 'all'
        ? await this.#workspaces.loadMany(workspaceIds)
        : await this.#grants.loadMany(workspaceIds.map((id) => [visibleTo.grantedTo, id]));
    return new Set(workspaceIds.filter((_, index) => rows[index] !== null));
  }

  #visible(visibleTo: Visibility): SelectQueryBuilder<Workspace> {
    const query = this.transactions.manager.createQueryBuilder(Workspace, 'w');
    if (visibleTo === 'all') return query;
    return query.where(
      'w.id IN (SELECT workspace_id FROM api_key_workspaces WHERE api_key_id = :grantedTo)',
      visibleTo,
    );
  }

  #invalidateAfterCommit(workspaceId: string): Promise<void> {
    return this.transactions.afterCommit(() => this.#cached.invalidateTags([workspaceTag(workspaceId)]));
  }
}

function visibilityKey(workspaceId: string, visibleTo: Visibility): string {
  return `visible:${workspaceId}:${visibleTo === 'all' ? 'all' : visibleTo.grantedTo}`;
}
