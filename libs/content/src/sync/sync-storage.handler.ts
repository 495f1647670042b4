import { Inject, Injectable } from '@nestjs/common';
import {
  PermanentTaskError,
  type TaskContext,
  type TaskExecutor,
  TaskHandler,
  type TaskPayload,
  TaskStoppedError,
} from '@peregrine/task-queue';
import { ContentError } from '../content.errors.js';
import { CONTENT_OPTIONS, type ContentOptions } from '../content.options.js';
import { syncStorage } from '../content.tasks.js';
import { FileContentService } from '../files/file-content.service.js';
import { FileService } from '../files/file.service.js';
import { FileUploadService } from '../files/file-upload.service.js';
import { type StorageSync, type SyncCounts } from './storage-sync.entity.js';
import { SyncLedger } from './sync-ledger.js';
import { SyncRun } from './sync-run.js';
import { openTree } from './sync-source.js';
import { type Attempt, SyncOvertakenError, SyncStore } from './sync.store.js';

/**
 * Runs a sync. An attempt after one that died, or that a worker gave back, walks over both sides again and passes over
 * what is in step: what was copied is not copied again.
 */
@TaskHandler(syncStorage)
@Injectable()
export class SyncStorageHandler implements TaskExecutor<typeof syncStorage> {
  constructor(
    private readonly store: SyncStore,
    private readonly uploads: FileUploadService,
    private readonly files: FileService,
    private readonly contents: FileContentService,
    @Inject(CONTENT_OPTIONS) private readonly options: ContentOptions,
  ) {}

  async execute({ syncId }: TaskPayload<typeof syncStorage>, ctx: TaskContext): Promise<SyncCounts | null> {
    const { fence } = ctx;
    const sync = await this.store.begin(syncId, fence);
    // Cancelled, or begun by another worker that thought this one dead.
    if (!sync) return null;
    try {
      const counts = await this.#run({ sync, fence }, sync, ctx);
      await this.store.end(syncId, { state: 'completed', fence });
      return counts;
    } catch (error) {
      if (error instanceof SyncOvertakenError) return null;
      await this.#giveUp(syncId, error, ctx);
      throw error instanceof ContentError ? new PermanentTaskError(error.message, { cause: error }) : error;
    }
  }

  async #run(attempt: Attempt, sync: StorageSync, ctx: TaskContext): Promise<SyncCounts> {
    const { store, uploads, files, contents } = this;
    const { concurrency, limitBytes } = this.options.sync;
    const tree = await openTree(sync.source, this.options.sync);
    try {
      const expected = await (sync.direction === 'import'
        ? tree.count()
        : store.countFiles(sync.workspaceId));
      await store.setExpected(attempt, expected);
      const ledger = new SyncLedger(store, attempt, {
        isDry: sync.dryRun,
        onProgress: (counts) => ctx.progress({ expected, ...counts }),
      });
      const services = { store, uploads, files, contents };
      await new SyncRun({
        ...services,
        sync,
        tree,
        ledger,
        concurrency,
        limitBytes,
        signal: ctx.signal,
      }).run();
      return ledger.counts;
    } finally {
      await tree.close();
    }
  }

  /** Writes down that it failed, when no other attempt follows. */
  async #giveUp(syncId: string, error: unknown, { attempt, signal, fence }: TaskContext): Promise<void> {
    const isOver = error instanceof ContentError || attempt >= syncStorage.attempts;
    if (!isOver || signal.reason instanceof TaskStoppedError) return;
    // The message of a typed error is for people; any other may tell of the inside.
    const isTyped =
      error instanceof Error && 'code' in error && /^(?:CONTENT|STORAGE)_/.test(String(error.code));
    const message = isTyped ? error.message : 'It failed; the log of the worker says why';
    await this.store.end(syncId, { state: 'failed', error: message, fence });
  }
}
