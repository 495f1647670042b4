import { Logger } from '@nestjs/common';
import { type JobState } from 'bullmq';
import { type NewJob } from '../backend/new-job.js';
import { type QueueBackend, type StoreJob, type StoreQueue } from '../backend/queue-backend.js';
import { type CancelOutcome, type QueueTotalCounts, type StoreCounts } from '../backend/task-operations.js';
import { type Bounded, StoredDeadLetters } from '../dead-letters/stored-dead-letters.js';
import { withDeadline } from '../deadline.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { jobId, taskId } from '../definition/task-id.js';
import { QueueUnavailableError } from '../task-queue.errors.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { BullJoinableStore } from '../transactional/bull-joinable-store.js';
import { BullRelayTarget } from '../transactional/bull-relay-target.js';
import { type JoinableStore, type RelayTarget } from '../transactional/joinable-store.js';
import { JobFactory } from './job-factory.js';
import { type NewTask } from './new-task.js';
import { type Rebase, TaskDeadlines } from './task-deadlines.js';
import { toRecord } from './job-record.js';
import { type TaskRecord, type TaskState } from './task-status.js';
import { type Inspection, type QueueHead, TaskStore } from './task-store.js';

const TASKS_PER_CALL = 1_000;
const TASKS_PER_PART = 250;
const MAX_CLOSE_MS = 5_000;

/** At a task whose state and data are read in two steps. */
const MAX_LOOKS = 3;

const STATES: Readonly<Record<JobState, TaskState>> = {
  completed: 'completed',
  failed: 'failed',
  active: 'running',
  delayed: 'delayed',
  prioritized: 'waiting',
  waiting: 'waiting',
  'waiting-children': 'waiting',
};

/** Puts tasks into BullMQ's queue and looks them up there. */
export class BullTaskStore extends TaskStore {
  readonly deadLetters: StoredDeadLetters;
  readonly #logger = new Logger('TaskQueue');
  readonly #jobs: JobFactory;
  readonly joinable: JoinableStore | null;

  constructor(
    private readonly options: TaskQueueOptions,
    private readonly backend: QueueBackend,
  ) {
    super();
    const deadlines = new TaskDeadlines(options.priorities);
    this.#jobs = new JobFactory(options, deadlines, backend.keepsCount);
    const bounded: Bounded = (operation, work) => this.#answered(operation, work);
    this.deadLetters = new StoredDeadLetters(backend.deadLetters, deadlines, bounded);
    const toJob = (task: NewTask) => this.#jobs.create(task);
    this.joinable = backend.join && new BullJoinableStore(backend.join, toJob, options);
  }

  openRelay(): RelayTarget {
    return new BullRelayTarget(this.backend.openRelay(), (task) => this.#jobs.create(task));
  }

  async add(task: NewTask): Promise<string> {
    const job = this.#jobs.create(task);
    const [id = job.id] = await this.#answered('submit', () => this.backend.add([job]));
    return taskId(id);
  }

  async addMany(tasks: readonly NewTask[]): Promise<string[]> {
    const ids: string[] = [];
    for (let start = 0; start < tasks.length; start += TASKS_PER_CALL) {
      const jobs = tasks.slice(start, start + TASKS_PER_CALL).map((task) => this.#jobs.create(task));
      const added = await this.#answered('submitBatch', () => this.#addJobs(jobs));
      ids.push(...added.map(taskId));
    }
    return ids;
  }

  async find(definition: AnyTaskDefinition, id: string): Promise<TaskRecord | null> {
    return this.#bounded('status', async (queue) => {
      return (await this.#findJob(queue, definition, id))?.record ?? null;
    });
  }

  async inspect(definition: AnyTaskDefinition, id: string): Promise<Inspection | null> {
    return this.#bounded('explain', async (queue) => {
      // The place first: a task that ends in between is then told by its later state.
      const placement = await this.backend.operations.placement(jobId(definition, id));
      const isPaused = await queue.isPaused();
      const found = await this.#findJob(queue, definition, id);
      if (!placement || !found) return null;
      const { job, record } = found;
      return {
        ...placement,
        record,
        number: job.priority,
        ...(job.processedBy && { claimedBy: job.processedBy }),
        isPaused,
      };
    });
  }

  async cancel(
    definition: AnyTaskDefinition,
    ids: readonly string[],
    reason: string,
  ): Promise<CancelOutcome[]> {
    const jobIds = ids.map((id) => jobId(definition, id));
    const outcomes: CancelOutcome[] = [];
    for (let start = 0; start < jobIds.length; start += TASKS_PER_CALL) {
      const part = jobIds.slice(start, start + TASKS_PER_CALL);
      outcomes.push(...(await this.#bounded('cancel', () => this.backend.operations.cancel(part, reason))));
    }
    return outcomes;
  }

  async cancellations(jobIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#bounded('cancellations', () => this.backend.operations.cancellations(jobIds));
  }

  async pause(): Promise<void> {
    await this.#bounded('pause', (queue) => queue.pause());
  }

  async resume(): Promise<void> {
    await this.#bounded('resume', (queue) => queue.resume());
  }

  async counts(): Promise<StoreCounts> {
    return this.#bounded('count', () => this.backend.operations.counts());
  }

  async addTotals(added: QueueTotalCounts): Promise<QueueTotalCounts> {
    return this.#bounded('totals', () => this.backend.operations.addTotals(added));
  }

  async head(): Promise<QueueHead> {
    return this.#bounded('head', async (queue) => ({
      ...(await this.backend.operations.next()),
      isPaused: await queue.isPaused(),
    }));
  }

  async trim(state: 'completed' | 'failed', count: number, olderThanMs: number): Promise<void> {
    await this.#bounded('trim', (queue) => queue.clean(olderThanMs, count, state));
  }

  async rebase(rebase: Rebase): Promise<number> {
    return this.#bounded('rebase', () => this.backend.operations.rebase(rebase));
  }

  async tidy(): Promise<void> {
    await this.#bounded('tidy', () => this.backend.operations.tidy());
  }

  async schedules(): Promise<ReadonlyMap<string, string>> {
    return this.#bounded('schedules', () => this.backend.operations.schedules());
  }

  async swapSchedule(name: string, expected: string | null, next: string | null): Promise<boolean> {
    return this.#bounded('schedule', () => this.backend.operations.swapSchedule(name, expected, next));
  }

  async ping(signal?: AbortSignal): Promise<void> {
    await this.#answered('ping', () => this.backend.ping(), signal);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.lastWords().catch((error: unknown) => {
      this.#logger.warn(`What was counted last could not be stored: ${String(error)}`);
    });
    try {
      await withDeadline(this.backend.close(), MAX_CLOSE_MS);
    } catch (error) {
      this.#logger.warn(`The connections to the task queue's store did not close: ${String(error)}`);
    }
  }

  async #findJob(
    queue: StoreQueue,
    definition: AnyTaskDefinition,
    id: string,
  ): Promise<{ job: StoreJob; record: TaskRecord } | null> {
    for (let look = 1; ; look++) {
      const state = await queue.getJobState(jobId(definition, id));
      if (state === 'unknown') return null;
      const job = await queue.getJob(jobId(definition, id));
      if (!job) return null;
      const hasEnded = state === 'completed' || state === 'failed';
      // It ended, or was redriven, between the two: another look gives both of one moment, unless it goes on like that.
      const agree = hasEnded === Boolean(job.finishedOn);
      if (agree || look === MAX_LOOKS) return { job, record: toRecord(definition, id, STATES[state], job) };
    }
  }

  /** The store works on the first part while the next is prepared, where that keeps their order. */
  async #addJobs(jobs: readonly NewJob[]): Promise<string[]> {
    const partSize = this.backend.ordersCalls ? TASKS_PER_PART : jobs.length;
    const parts: Promise<string[]>[] = [];
    for (let start = 0; start < jobs.length; start += partSize) {
      parts.push(this.backend.add(jobs.slice(start, start + partSize)));
    }
    return (await Promise.all(parts)).flat();
  }

  #bounded<T>(operation: string, work: (queue: StoreQueue) => Promise<T>): Promise<T> {
    return this.#answered(operation, async () => work(await this.backend.queue()));
  }

  async #answered<T>(operation: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await withDeadline(work(), this.options.operationTimeoutMs, signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new QueueUnavailableError(operation, { cause: error });
    }
  }
}
