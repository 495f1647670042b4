import { type IQueueBackend, type Job, type Processor, type Queue, type Worker } from 'bullmq';
import { type StoredPayload } from '../definition/task-payload.js';
import { type WorkerSettings } from '../task-queue.options.js';
import { type DeadLetterOperations } from './dead-letter-operations.js';
import { type NewJob } from './new-job.js';
import { type Claim } from '../transactional/joinable-store.js';
import { type QueryClient } from '../transactional/transaction-source.js';
import { type TaskOperations } from './task-operations.js';

/** BullMQ's classes as used here: payload and result are JSON text, whatever the store. */
export type StoreQueue = Queue<StoredPayload, string, string, StoredPayload, string, string, IQueueBackend>;
export type StoreWorker = Worker<StoredPayload, string, string, IQueueBackend>;
export type StoreJob = Job<StoredPayload, string>;
/** A job that is to be added, as BullMQ takes it. */
export type StoreJobInput = Parameters<StoreQueue['addBulk']>[0][number];
export type StoreProcessor = Processor<StoredPayload, string>;

/** What a worker is opened with. */
export interface WorkerInput {
  readonly processor: StoreProcessor;
  readonly settings: WorkerSettings;
  /** Tasks that it may hold at once. */
  readonly claims: number;
  /** Whole milliseconds before the next attempt of the job. */
  readonly retryDelayMs: (job: StoreJob) => number;
  /** What `explain` calls the worker. */
  readonly name: string;
  /** Told of tasks, by job id, that this worker found dead because their workers died too often. */
  readonly onStallFailures: (jobIds: readonly string[]) => void;
}

/** Jobs in a transaction of the caller's; see `JoinableStore`. */
export interface JobJoin {
  isOn(client: QueryClient): Promise<boolean>;
  /** @returns the ids of the jobs */
  add(client: QueryClient, jobs: readonly NewJob[]): Promise<string[]>;
  /** @param keepAgeS removes what has completed longer ago, seconds */
  complete(client: QueryClient, claim: Claim, result: string, keepAgeS: number | null): Promise<void>;
}

export interface RelayedJob {
  readonly marker: string;
  readonly job: NewJob;
}

/** Jobs that come from an outbox; see `RelayTarget`. */
export interface JobRelay {
  take(rows: readonly RelayedJob[], isFresh: () => boolean): Promise<void>;
  settle(markers: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** All that differs between Redis and PostgreSQL. */
export interface QueueBackend {
  readonly type: 'redis' | 'postgres';
  /** Whether the store itself keeps to a number of ended tasks; else the worker trims from time to time. */
  readonly keepsCount: boolean;
  /** Whether calls of one process that are under way at once take effect in the order in which they were made. */
  readonly ordersCalls: boolean;
  readonly operations: TaskOperations;
  readonly deadLetters: DeadLetterOperations;
  /** `null`: the store cannot take part in a transaction. */
  readonly join: JobJoin | null;

  /** Connects to nothing yet; has to be closed. */
  openRelay(): JobRelay;

  /**
   * The queue, connected and ready. Never reads a failure from memory: the next call tries again.
   *
   * @throws the driver's error when the store is not there
   */
  queue(): Promise<StoreQueue>;

  /**
   * Puts jobs in, in their order; one round trip where none has a deduplication key.
   *
   * @returns their ids, another than asked for when deduplicated
   * @throws the driver's error; some of them may be in the store then
   */
  add(jobs: readonly NewJob[]): Promise<string[]>;

  /** A worker that is connected, ready, and not running yet. @throws like `queue` */
  openWorker(input: WorkerInput): Promise<OpenWorker>;

  /** @throws the driver's error when the store does not answer */
  ping(): Promise<void>;

  /** Ends every connection but those of open workers. */
  close(): Promise<void>;
}

export interface OpenWorker {
  readonly worker: StoreWorker;
  /** Cuts the connections, whatever state they are in. The worker must have been closed, or be stuck closing. */
  disconnect(): Promise<void>;
}
