import { Inject, Injectable } from '@nestjs/common';
import {
  CursorCodec,
  isUniqueViolation,
  keysetPage,
  narrowToPage,
  type Page,
  Transactions,
} from '@peregrine/database';
import { selectColumns } from '@peregrine/query-optimizer/typeorm';
import { TaskAlreadyEndedError, TaskNotFoundError, TaskQueue } from '@peregrine/task-queue';
import { randomUUIDv7 } from 'node:crypto';
import { CONTENT_OPTIONS, type ContentOptions } from '../content.options.js';
import { syncStorage } from '../content.tasks.js';
import { StorageSync, type SyncDirection } from './storage-sync.entity.js';
import { normalizeSource, openTree } from './sync-source.js';
import { SyncEndedError, SyncNotFoundError, SyncRunningError } from './sync.errors.js';
import { SyncStore } from './sync.store.js';

export interface StartSync {
  /** An absolute path, or `s3://bucket/prefix`. */
  source: string;
  direction: SyncDirection;
  dryRun?: boolean;
  /** Whether what the source does not have goes from the target. @default false */
  deletes?: boolean;
  /** Whether changes made at the target are given up. @default false: they are conflicts, and named */
  overwrites?: boolean;
}

const COLUMNS = [
  ...(['id', 'source', 'direction', 'dryRun', 'deletes', 'overwrites', 'state', 'expected'] as const),
  ...(['counts', 'problems', 'error', 'createdAt', 'startedAt', 'endedAt'] as const),
] as const;
export type SyncSummary = Pick<StorageSync, (typeof COLUMNS)[number]>;

/** Mirrors folders and buckets into workspaces and back, by tasks; one at a time for a workspace and a source. */
@Injectable()
export class SyncService {
  constructor(
    private readonly transactions: Transactions,
    private readonly store: SyncStore,
    private readonly tasks: TaskQueue,
    private readonly cursors: CursorCodec,
    @Inject(CONTENT_OPTIONS) private readonly options: ContentOptions,
  ) {}

  /**
   * Submits a sync; its row and its task are committed together.
   *
   * @throws {SyncSourceError} @throws {SyncRunningError}
   */
  async start(workspaceId: string, { source: given, direction, ...wishes }: StartSync): Promise<SyncSummary> {
    const source = normalizeSource(given);
    // Refused here rather than by the worker. The worker looks again: it may be another machine, at another time.
    await (await openTree(source, this.options.sync)).close();
    const { dryRun = false, deletes = false, overwrites = false } = wishes;
    const pairId = await this.store.pairOf(workspaceId, source);
    await this.#endIfLost(await this.store.openRun(pairId));
    const id = randomUUIDv7();
    try {
      await this.transactions.run(async () => {
        await this.store.insert({ id, workspaceId, pairId, source, direction, dryRun, deletes, overwrites });
        await this.tasks.submit(syncStorage, { syncId: id }, { id: taskIdOf(workspaceId, id) });
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new SyncRunningError((await this.store.openRun(pairId)) ?? 'of another caller');
    }
    return this.get(workspaceId, id);
  }

  /** @throws {SyncNotFoundError} */
  async get(workspaceId: string, id: string): Promise<SyncSummary> {
    const query = this.transactions.manager.createQueryBuilder(StorageSync, 's').where({ id, workspaceId });
    const [sync] = (await selectColumns(query, COLUMNS)) as SyncSummary[];
    if (!sync) throw new SyncNotFoundError(workspaceId, id);
    return sync;
  }

  /** Newest first. @throws {InvalidCursorError} */
  list(
    workspaceId: string,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<SyncSummary>> {
    return keysetPage<SyncSummary>({
      codec: this.cursors,
      scope: `syncs:${workspaceId}`,
      ...page,
      keys: [{ expression: 's.id', cast: 'uuid', direction: 'DESC', value: (row) => row.id }],
      fetch: (query) => {
        const builder = this.transactions.manager.createQueryBuilder(StorageSync, 's').where({ workspaceId });
        return selectColumns(narrowToPage(builder, query), COLUMNS);
      },
    });
  }

  /**
   * Ends a sync; what it has copied stays. The worker stops at its next checkpoint, a second later at most.
   *
   * @throws {SyncNotFoundError} @throws {SyncEndedError}
   */
  async cancel(workspaceId: string, id: string): Promise<SyncSummary> {
    await this.get(workspaceId, id);
    if (!(await this.store.end(id, { state: 'cancelled' }))) throw new SyncEndedError(id);
    try {
      await this.tasks.cancel(syncStorage, taskIdOf(workspaceId, id));
    } catch (error) {
      // The row has ended, which is what counts: the task finds nothing to do.
      if (!(error instanceof TaskAlreadyEndedError || error instanceof TaskNotFoundError)) throw error;
    }
    return this.get(workspaceId, id);
  }

  /** A run whose task is gone, or has failed without a word, would bar the pair for ever. */
  async #endIfLost(syncId: string | undefined): Promise<void> {
    if (syncId === undefined) return;
    const { workspaceId } = await this.transactions.manager.findOneByOrFail(StorageSync, { id: syncId });
    const status = await this.tasks.status(syncStorage, taskIdOf(workspaceId, syncId));
    if (status && !status.finishedAt) return;
    await this.store.end(syncId, { state: 'failed', error: 'Its task was lost or given up' });
  }
}

/** Begins with the workspace, as the ids of all tasks that its users may see. */
export function taskIdOf(workspaceId: string, syncId: string): string {
  return `${workspaceId}.${syncId}`;
}
