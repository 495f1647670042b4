import { Injectable } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { randomUUIDv7 } from 'node:crypto';
import { type StorageSync, type SyncCounts, type SyncProblem } from './storage-sync.entity.js';
import type { TreeFile } from './trees/sync-tree.js';

const ROWS_PER_PAGE = 1_000;

/** A file of the workspace, as far as a sync needs it. */
export interface SyncedFile {
  path: string;
  id: string;
  sizeBytes: number;
  sha256: string;
  updatedAt: Date;
}

/** What both sides had at a path after the last sync; `version` as the tree calls it. */
export interface SyncEntry {
  path: string;
  version: string;
  sha256: string;
  isSettled: boolean;
}

/** What of a run is to be kept. */
export interface Checkpoint {
  counts: SyncCounts;
  problems: readonly SyncProblem[];
  entries: readonly SyncEntry[];
  /** Paths that neither side has any more. */
  removed: readonly string[];
}

/** The run was cancelled, or another attempt of it has begun: this one has nothing to say any more. */
export class SyncOvertakenError extends Error {
  override readonly name = 'SyncOvertakenError';
}

/** Names one attempt of one run. */
export interface Attempt {
  sync: Pick<StorageSync, 'id' | 'pairId'>;
  fence: number;
}

/** The tables of the syncs. */
@Injectable()
export class SyncStore {
  constructor(private readonly transactions: Transactions) {}

  /** The pair of workspace and source: what they have in common is kept by it, for both directions. */
  async pairOf(workspaceId: string, source: string): Promise<string> {
    const [row] = await this.transactions.manager.query<[{ id: string }]>(
      `INSERT INTO storage_sync_pairs (id, workspace_id, source) VALUES ($1, $2, $3)
       ON CONFLICT (workspace_id, source) DO UPDATE SET source = excluded.source RETURNING id`,
      [randomUUIDv7(), workspaceId, source],
    );
    return row.id;
  }

  /** The run of a pair that has not ended. */
  async openRun(pairId: string): Promise<string | undefined> {
    const rows = await this.transactions.manager.query<{ id: string }[]>(
      `SELECT id FROM storage_syncs WHERE pair_id = $1 AND ended_at IS NULL`,
      [pairId],
    );
    return rows[0]?.id;
  }

  /** @throws a violation of uniqueness while another run of the pair is open */
  async insert(
    sync: Pick<
      StorageSync,
      'id' | 'workspaceId' | 'pairId' | 'source' | 'direction' | 'dryRun' | 'deletes' | 'overwrites'
    >,
  ): Promise<void> {
    await this.transactions.manager.query(
      `INSERT INTO storage_syncs (id, workspace_id, pair_id, source, direction, dry_run, deletes, overwrites)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        sync.id,
        ...[sync.workspaceId, sync.pairId, sync.source, sync.direction],
        ...[sync.dryRun, sync.deletes, sync.overwrites],
      ],
    );
  }

  /** Begins an attempt, unless the run has ended or a later one has begun. */
  async begin(syncId: string, fence: number): Promise<StorageSync | undefined> {
    const [rows] = await this.transactions.manager.query<[StorageSync[], number]>(
      `UPDATE storage_syncs SET fence = $2, state = 'running', started_at = coalesce(started_at, now())
        WHERE id = $1 AND fence <= $2 AND ended_at IS NULL
       RETURNING id, workspace_id AS "workspaceId", pair_id AS "pairId", source, direction, dry_run AS "dryRun",
                 deletes, overwrites`,
      [syncId, fence],
    );
    return rows[0];
  }

  async setExpected({ sync, fence }: Attempt, expected: number): Promise<void> {
    await this.transactions.manager.query(
      `UPDATE storage_syncs SET expected = $3 WHERE id = $1 AND fence = $2 AND ended_at IS NULL`,
      [sync.id, fence, expected],
    );
  }

  /**
   * Keeps how far an attempt is.
   *
   * @throws {SyncOvertakenError} and keeps nothing
   */
  async checkpoint(attempt: Attempt, { counts, problems, entries, removed }: Checkpoint): Promise<void> {
    const { sync, fence } = attempt;
    await this.transactions.run(async (manager) => {
      const [, alive] = await manager.query<[unknown[], number]>(
        `UPDATE storage_syncs SET counts = $3, problems = $4 WHERE id = $1 AND fence = $2 AND ended_at IS NULL`,
        [sync.id, fence, JSON.stringify(counts), JSON.stringify(problems)],
      );
      if (alive === 0) throw new SyncOvertakenError();
      if (entries.length > 0) {
        await manager.query(
          `INSERT INTO storage_sync_entries AS e (pair_id, path, version, sha256, is_settled)
           SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[])
           ON CONFLICT (pair_id, path) DO UPDATE
              SET version = excluded.version, sha256 = excluded.sha256, is_settled = excluded.is_settled`,
          [
            sync.pairId,
            ...[entries.map((it) => it.path), entries.map((it) => it.version)],
            ...[entries.map((it) => it.sha256), entries.map((it) => it.isSettled)],
          ],
        );
      }
      if (removed.length > 0) {
        await manager.query(
          `DELETE FROM storage_sync_entries WHERE pair_id = $1 AND path = ANY ($2::text[])`,
          [sync.pairId, removed],
        );
      }
    });
  }

  /** Ends a run, unless it has ended. @param fence of the attempt that ends it; of a cancellation there is none */
  async end(
    syncId: string,
    end: { state: 'completed' | 'failed' | 'cancelled'; error?: string | undefined; fence?: number },
  ): Promise<boolean> {
    const [, ended] = await this.transactions.manager.query<[unknown[], number]>(
      `UPDATE storage_syncs SET state = $2, error = $3, ended_at = now()
        WHERE id = $1 AND ended_at IS NULL AND ($4::bigint IS NULL OR fence = $4::bigint)`,
      [syncId, end.state, end.error ?? null, end.fence ?? null],
    );
    return ended > 0;
  }

  /** The files of a workspace, in the order of their paths; a page in memory. */
  files(workspaceId: string): AsyncGenerator<SyncedFile> {
    return this.#pages<SyncedFile>(
      `SELECT path, id, size_bytes::float8 AS "sizeBytes", sha256, updated_at AS "updatedAt" FROM files
        WHERE workspace_id = $1 AND path > $2 ORDER BY path LIMIT ${ROWS_PER_PAGE}`,
      workspaceId,
    );
  }

  /** What the two sides of a pair had in common, in the order of the paths; a page in memory. */
  entries(pairId: string): AsyncGenerator<SyncEntry> {
    return this.#pages<SyncEntry>(
      `SELECT path, version, sha256, is_settled AS "isSettled" FROM storage_sync_entries
        WHERE pair_id = $1 AND path > $2 ORDER BY path LIMIT ${ROWS_PER_PAGE}`,
      pairId,
    );
  }

  async countFiles(workspaceId: string): Promise<number> {
    const [row] = await this.transactions.manager.query<[{ files: number }]>(
      `SELECT count(*)::int AS files FROM files WHERE workspace_id = $1`,
      [workspaceId],
    );
    return row.files;
  }

  async *#pages<Row extends { path: string }>(sql: string, of: string): AsyncGenerator<Row> {
    for (let after = ''; ;) {
      const rows = await this.transactions.manager.query<Row[]>(sql, [of, after]);
      yield* rows;
      const last = rows.at(-1);
      if (!last || rows.length < ROWS_PER_PAGE) return;
      after = last.path;
    }
  }
}

/** What both sides have of a path from now on. */
export function entryOf({ path, version, isSettled }: TreeFile, sha256: string): SyncEntry {
  return { path, version, sha256, isSettled };
}
