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
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { type Embedder, RETRIEVAL_EMBEDDER } from '../vectors/embedder.js';
import { CHUNKING } from './passages.js';
import { type FileWithText, submitIngest } from './submit-ingest.js';

/** Files that one round looks at: it goes on where the last one ended, so that its cost does not grow with their number. */
const FILES_PER_SWEEP = 20_000;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

interface SweptFile extends FileWithText {
  /** In the round, from 1. */
  readonly place: number;
  readonly isDue: boolean;
}

/**
 * Finds files that are not ingested as they are: those from before there was retrieval, those of another embedder or of an older
 * way to make passages, and those whose task a queue has lost. The rows say which they are, so that no death of a process loses one.
 */
@Injectable()
export class IngestSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger(IngestSweeper.name);
  #sweeps: RepeatedWork | undefined;
  #after = BEFORE_ALL;

  constructor(
    private readonly transactions: Transactions,
    private readonly tasks: TaskQueue,
    @Inject(RETRIEVAL_EMBEDDER) private readonly embedder: Embedder,
    @Inject(RETRIEVAL_OPTIONS) private readonly options: RetrievalOptions,
  ) {}

  onApplicationBootstrap(): void {
    this.#sweeps = repeatAtLowPriority(
      this.options.sweepIntervalMs,
      async () => void (await this.sweep()),
      (error) => this.#log.warn(`A sweep failed and will be tried again: ${String(error)}`),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#sweeps?.stop();
  }

  /** One round. Several processes may run it at once: a task that waits is not submitted twice. @returns how many files it had ingested */
  async sweep(): Promise<number> {
    const files = await this.#next();
    const last = files.at(-1);
    this.#after = last?.place === FILES_PER_SWEEP ? last.fileId : BEFORE_ALL;
    const due = files.filter((it) => it.isDue);
    await submitIngest(this.tasks, due);
    return due.length;
  }

  /** Those that are due, and the last one that was looked at. What waits for its text is submitted when that comes. */
  #next(): Promise<SweptFile[]> {
    return this.transactions.manager.query<SweptFile[]>(
      `SELECT * FROM (
         SELECT f.id AS "fileId", f.revision, f.place, f.status <> 'pending' AND d.document_id IS NULL AS "isDue"
           FROM (SELECT id, revision, status, row_number() OVER (ORDER BY id)::integer AS place FROM files
                  WHERE id > $1 ORDER BY id LIMIT $2) f
           LEFT JOIN retrieval_documents d
             ON d.document_id = f.id AND d.revision = f.revision AND d.embedder = $3 AND d.chunking = $4) swept
        WHERE "isDue" OR place = $2 ORDER BY place`,
      [this.#after, FILES_PER_SWEEP, this.embedder.id, CHUNKING],
    );
  }
}
