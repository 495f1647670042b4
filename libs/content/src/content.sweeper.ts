import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { repeatAtLowPriority, type RepeatedWork } from '@peregrine/query-optimizer';
import { TaskQueue } from '@peregrine/task-queue';
import { CONTENT_OPTIONS, type ContentOptions } from './content.options.js';
import { extractText, releaseStorage } from './content.tasks.js';
import { ObjectStore } from './storage/object-store.js';
import { StorageReleaseService } from './storage-release/storage-release.service.js';

const ITEMS_PER_SWEEP = 500;
const ORPHAN_AGE_MS = 24 * 3_600_000;
/** What walks over the whole storage is done seldom: it frees space, nobody waits for it. */
const STORAGE_SWEEP_INTERVAL_MS = 3_600_000;

/**
 * Finds what was left undone. An extraction is submitted in the transaction of its file, so only a store that lost its
 * data loses one; a release is submitted after the commit, so a process that dies between the two loses it. The rows
 * still say what there is to do.
 */
@Injectable()
export class ContentSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger(ContentSweeper.name);
  #sweeps: RepeatedWork | undefined;
  #storageSweptAt = Date.now();

  constructor(
    private readonly transactions: Transactions,
    private readonly tasks: TaskQueue,
    private readonly storageRelease: StorageReleaseService,
    private readonly store: ObjectStore,
    @Inject(CONTENT_OPTIONS) private readonly options: ContentOptions,
  ) {}

  onApplicationBootstrap(): void {
    this.#sweeps = repeatAtLowPriority(
      this.options.sweepIntervalMs,
      () => this.sweep(),
      (error) => this.#log.warn(`A sweep failed and will be tried again: ${String(error)}`),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#sweeps?.stop();
  }

  /** One round: extractions each time, the storage once an hour. Several processes may run it at once: every step can be done twice. */
  async sweep(): Promise<void> {
    await this.resubmitExtractions();
    if (Date.now() - this.#storageSweptAt < STORAGE_SWEEP_INTERVAL_MS) return;
    this.#storageSweptAt = Date.now();
    await this.releaseUnused();
    await this.removeOrphans(new Date(Date.now() - ORPHAN_AGE_MS));
  }

  /** Submits anew what has been pending for two sweeps. @returns how many */
  async resubmitExtractions(): Promise<number> {
    const files = await this.transactions.manager.query<{ fileId: string; revision: number }[]>(
      `SELECT id AS "fileId", revision FROM files
        WHERE status = 'pending' AND updated_at < now() - make_interval(secs => $1)
        ORDER BY updated_at LIMIT $2`,
      [(2 * this.options.sweepIntervalMs) / 1_000, ITEMS_PER_SWEEP],
    );
    // A name of its own per sweep: the first task may be remembered as failed, which would hide this one.
    const round = Math.floor(Date.now() / (10 * this.options.sweepIntervalMs));
    if (files.length > 0) {
      await this.tasks.submitBatch(
        extractText,
        files.map((it) => ({ payload: it, id: `extract-${it.fileId}-${it.revision}-sweep-${round}` })),
      );
    }
    return files.length;
  }

  /** Has contents released that no file has referred to for an hour. @returns how many, 500 at most */
  async releaseUnused(): Promise<number> {
    const resourceIds = await this.storageRelease.unusedResources(ITEMS_PER_SWEEP);
    if (resourceIds.length > 0) await this.tasks.submit(releaseStorage, { resourceIds });
    return resourceIds.length;
  }

  /** Removes objects that were stored before `olderThan` and that no row knows. @returns how many */
  async removeOrphans(olderThan: Date): Promise<number> {
    let removed = 0;
    for await (const objects of chunksOf(this.store.list(), ITEMS_PER_SWEEP)) {
      const old = objects.filter((it) => it.modifiedAt < olderThan);
      const orphans = await this.storageRelease.withoutResource(old.map((it) => it.key));
      for (const object of old.filter((it) => orphans.has(it.key))) {
        await this.store.remove(object);
        removed++;
      }
    }
    return removed;
  }
}

async function* chunksOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
