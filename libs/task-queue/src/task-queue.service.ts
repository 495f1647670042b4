import { Inject, Injectable } from '@nestjs/common';
import { type CancelOutcome } from './backend/task-operations.js';
import { DeadLetters } from './dead-letters/dead-letters.js';
import { type AnyTaskDefinition, type TaskPayloadInput } from './definition/task-definition.js';
import { assertTaskId } from './definition/task-id.js';
import { InlineRunner } from './inline/inline-runner.js';
import { storableReason } from './queue/cancelled-result.js';
import { type NewTask } from './queue/new-task.js';
import { QueueCounts } from './queue/queue-counts.js';
import { type DrainLook, type DrainOptions, type DrainProgress, untilDrained } from './queue/queue-drain.js';
import { type SubmitOptions, toNewTask } from './queue/submission.js';
import { TaskDeadlines } from './queue/task-deadlines.js';
import {
  explainInline,
  explainMissing,
  explainOutbox,
  explainStored,
  type TaskExplanation,
} from './queue/task-explanation.js';
import { type TaskRecord, type TaskStatus } from './queue/task-status.js';
import { TaskStore } from './queue/task-store.js';
import { TaskSubmitter } from './queue/task-submitter.js';
import { waitForResult, type WaitOptions } from './queue/task-waiter.js';
import { Schedules } from './schedule/schedules.js';
import { type ScheduleOptions, type TaskSchedule } from './schedule/task-schedule.js';
import { type MetricFamily, metricFamilies } from './statistics/metric-families.js';
import { queueStatistics, type TaskQueueStatistics } from './statistics/queue-statistics.js';
import { QueueTotals } from './statistics/queue-totals.js';
import { type TaskCounters, TaskStatistics } from './statistics/task-statistics.js';
import { type ClassWait } from './statistics/wait-times.js';
import {
  QueueUnavailableError,
  TaskAlreadyEndedError,
  TaskCancelledError,
  TaskFailedError,
  TaskNotFinishedError,
  TaskNotFoundError,
  UnknownTaskError,
} from './task-queue.errors.js';
import { type TaskQueueOptions } from './task-queue.options.js';
import { outboxFamilies } from './transactional/outbox-families.js';
import { outboxRecord } from './transactional/outbox-record.js';
import { OutboxRelay } from './transactional/outbox-relay.js';
import { type OutboxRow } from './transactional/outbox-table.js';
import { TaskOutbox } from './transactional/task-outbox.js';
import { TASK_QUEUE_OPTIONS } from './task-queue.tokens.js';

/** A payload with its own id. */
export interface TaskItem<P> {
  readonly payload: P;
  readonly id: string;
}

/** One of many submissions, each of its own task. */
export interface TaskSubmission<D extends AnyTaskDefinition = AnyTaskDefinition> extends SubmitOptions {
  readonly definition: D;
  readonly payload: TaskPayloadInput<D>;
}

const DEFAULT_REASON = 'by request';

/** Submits tasks and tells how they are. */
@Injectable()
export class TaskQueue {
  /** As a source of metrics. */
  readonly name = 'task-queue';
  readonly #tasks: ReadonlyMap<string, AnyTaskDefinition>;
  readonly #deadlines: TaskDeadlines;

  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    private readonly store: TaskStore,
    private readonly inline: InlineRunner,
    private readonly submitter: TaskSubmitter,
    private readonly statistics: TaskStatistics,
    private readonly counts: QueueCounts,
    private readonly scheduled: Schedules,
    /** Tasks that have failed for good. */
    readonly deadLetters: DeadLetters,
    private readonly queueTotals: QueueTotals,
    private readonly outbox: TaskOutbox,
    private readonly relay: OutboxRelay,
  ) {
    this.#tasks = new Map(options.tasks.map((it) => [it.name, it]));
    this.#deadlines = new TaskDeadlines(options.priorities);
  }

  /**
   * Enqueues a task; one round trip. When `asynchronous` says no, it runs here and now instead, retries included,
   * and how it ended is in its status: a failed task does not reject.
   *
   * Inside a transaction of the option `transactions` the task is seen, or run inline, when that commits, and never if
   * it rolls back. An error of the database is then thrown as it is, and leaves nothing but a rollback.
   *
   * @returns its id, or that of the task it duplicates by the definition's `dedupe`
   * @throws {InvalidPayloadError} nothing was enqueued
   * @throws {InvalidTaskIdError} nothing was enqueued
   * @throws {InvalidSubmissionError} nothing was enqueued
   * @throws {UnknownTaskError} the definition is not in the module's `tasks`
   * @throws {QueueUnavailableError} retry with the same `id`
   * @throws {TaskHandlerMissingError} inline, without the handler in this process
   */
  async submit<D extends AnyTaskDefinition>(
    definition: D,
    payload: TaskPayloadInput<D>,
    options: SubmitOptions = {},
  ): Promise<{ id: string }> {
    return { id: await this.submitter.submit(await this.#newTask(definition, payload, options)) };
  }

  /**
   * Enqueues many tasks of one kind, a thousand a round trip. All are validated before the first is enqueued; after
   * that it is not all or nothing, so give ids when you may have to repeat it. An object with exactly the keys
   * `payload` and `id` is taken for a payload with its id.
   *
   * @returns the ids, in the order of the items
   * @throws as `submit`
   */
  async submitBatch<D extends AnyTaskDefinition>(
    definition: D,
    items: readonly (TaskPayloadInput<D> | TaskItem<TaskPayloadInput<D>>)[],
    options: Omit<SubmitOptions, 'id' | 'idempotencyKey'> = {},
  ): Promise<{ id: string }[]> {
    const tasks: NewTask[] = [];
    for (const item of items) {
      const task = isTaskItem(item)
        ? this.#newTask(definition, item.payload, { ...options, id: item.id })
        : this.#newTask(definition, item, options);
      tasks.push(await task);
    }
    return this.#submitAll(tasks);
  }

  /** `submitBatch` across tasks, each with its own options. All are validated before the first is enqueued. */
  async submitMany<const D extends readonly AnyTaskDefinition[]>(items: {
    readonly [K in keyof D]: TaskSubmission<D[K]>;
  }): Promise<{ id: string }[]> {
    const tasks: NewTask[] = [];
    for (const { definition, payload, ...options } of items as readonly TaskSubmission[]) {
      tasks.push(await this.#newTask(definition, payload, options));
    }
    return this.#submitAll(tasks);
  }

  /** `null`: there is none, or it is no longer kept. @throws {QueueUnavailableError} */
  async status(definition: AnyTaskDefinition, id: string): Promise<TaskStatus | null> {
    return (await this.#find(definition, id))?.status ?? null;
  }

  /**
   * What the handler returned, as JSON gave it back; `null` for `undefined`. `R` is the caller's claim.
   *
   * @throws {TaskNotFoundError}
   * @throws {TaskNotFinishedError}
   * @throws {TaskFailedError}
   * @throws {TaskCancelledError}
   * @throws {QueueUnavailableError}
   */
  async result<R = unknown>(definition: AnyTaskDefinition, id: string): Promise<R> {
    const record = await this.#find(definition, id);
    if (!record) throw new TaskNotFoundError(definition.name, id);
    const { state, error, cancelReason } = record.status;
    if (state === 'failed') throw new TaskFailedError(definition.name, id, error ?? '');
    if (state === 'cancelled') throw new TaskCancelledError(definition.name, id, cancelReason ?? '');
    if (state !== 'completed') throw new TaskNotFinishedError(definition.name, id, state);
    return JSON.parse(record.result ?? 'null') as R;
  }

  /**
   * Waits for the end of a task; asks the store at growing intervals of up to half a second, and outlives its
   * outages.
   *
   * @throws {TaskWaitTimeoutError} the task goes on
   * @throws {TaskFailedError}
   * @throws {TaskCancelledError}
   * @throws {TaskNotFoundError}
   * @throws the signal's reason
   */
  async waitFor<R = unknown>(definition: AnyTaskDefinition, id: string, options: WaitOptions): Promise<R> {
    return waitForResult(definition.name, id, options, () => this.result<R>(definition, id));
  }

  /**
   * Cancels a task. One that is queued is over at once; one that runs, in whatever process, has its `signal` aborted
   * within about a second, ends as cancelled and is not tried again. Only what ends by itself meanwhile is faster.
   *
   * @throws {TaskNotFoundError}
   * @throws {TaskAlreadyEndedError}
   * @throws {QueueUnavailableError}
   */
  async cancel(
    definition: AnyTaskDefinition,
    id: string,
    { reason = DEFAULT_REASON }: { readonly reason?: string } = {},
  ): Promise<'cancelled' | 'cancelling'> {
    const [outcome] = await this.cancelMany(definition, [id], { reason });
    if (outcome === 'cancelled' || outcome === 'cancelling') return outcome;
    const status = outcome === 'ended' ? await this.status(definition, id) : null;
    if (status) throw new TaskAlreadyEndedError(definition.name, id, status.state);
    throw new TaskNotFoundError(definition.name, id);
  }

  /** A thousand a round trip. @returns what became of each, in the order of the ids @throws {QueueUnavailableError} */
  async cancelMany(
    definition: AnyTaskDefinition,
    ids: readonly string[],
    { reason = DEFAULT_REASON }: { readonly reason?: string } = {},
  ): Promise<CancelOutcome[]> {
    for (const id of ids) assertTaskId(definition, id);
    const inline = ids.map((id) => this.inline.cancel(definition, id, reason));
    const stored = ids.filter((_id, index) => inline[index] === undefined);
    const outcomes = await this.#cancelStored(definition, stored, storableReason(reason));
    this.statistics.of(definition.name).cancelled += outcomes.filter((it) => it === 'cancelled').length;
    const rest = outcomes.values();
    return inline.map((it) => it ?? rest.next().value ?? 'not-found');
  }

  /** No attempt begins any more, in any process; what runs goes on. @throws {QueueUnavailableError} */
  async pause(): Promise<void> {
    this.inline.pause();
    await this.store.pause();
  }

  /** @throws {QueueUnavailableError} */
  async resume(): Promise<void> {
    this.inline.resume();
    await this.store.resume();
  }

  /** Why a task is not running, or how it ended. @throws {QueueUnavailableError} */
  async explain(definition: AnyTaskDefinition, id: string): Promise<TaskExplanation> {
    assertTaskId(definition, id);
    const inline = this.inline.find(definition, id);
    if (inline) return explainInline(inline, this.inline.isPaused);
    const explained = await this.#look(definition, id, {
      inStore: async () => {
        const inspection = await this.store.inspect(definition, id);
        return inspection && explainStored(inspection, this.#deadlines, Date.now());
      },
      inOutbox: (row) => explainOutbox(outboxRecord(definition, row), row.error),
    });
    return explained ?? explainMissing(definition.name, id);
  }

  /**
   * Submits a task at every tick of a cron expression, once over all processes with a worker. Kept in the store until
   * it is replaced by the same name, or removed. A run has the id `{name}@{tick in ms}`.
   *
   * @throws {InvalidScheduleError} also when it never fires
   * @throws {InvalidPayloadError}
   * @throws {UnknownTaskError}
   * @throws {QueueUnavailableError}
   */
  async schedule<D extends AnyTaskDefinition>(
    name: string,
    definition: D,
    payload: TaskPayloadInput<D>,
    options: ScheduleOptions,
  ): Promise<TaskSchedule> {
    const { priority } = options;
    const task = await this.#newTask(definition, payload, { ...(priority && { priority }) });
    return this.scheduled.put(name, task, options, this.options.clock.now());
  }

  /** @returns whether there was one; what it has submitted stays @throws {QueueUnavailableError} */
  async unschedule(name: string): Promise<boolean> {
    return this.scheduled.remove(name);
  }

  /** By name. @throws {QueueUnavailableError} */
  async schedules(): Promise<TaskSchedule[]> {
    return this.scheduled.list();
  }

  /** One round trip in constant time. Never fails: what the store does not tell is `null`. */
  async stats(): Promise<TaskQueueStatistics> {
    const counts = await this.#ifAvailable(this.counts.now());
    return queueStatistics(this.statistics.total(), counts, this.inline.load());
  }

  /** The definitions of the module's `tasks`. */
  definitions(): AnyTaskDefinition[] {
    return [...this.#tasks.values()];
  }

  /** The definition of this name among the module's `tasks`. */
  definition(name: string): AnyTaskDefinition | undefined {
    return this.#tasks.get(name);
  }

  /**
   * Waits until the workers, of this process and others, have nothing left to do. It starts none: without a worker
   * anywhere it ends with the signal only.
   *
   * @returns the last look
   * @throws {QueueUnavailableError}
   * @throws the signal's reason
   */
  async drain(options: DrainOptions = {}): Promise<DrainProgress> {
    const before = this.statistics.total();
    return untilDrained(() => this.#lookAtRest(before), options);
  }

  /**
   * `stats` over all processes, since the queue exists; every process adds what it counts within about two seconds.
   * Never fails: while the store does not answer, these are the figures of this process.
   */
  async totals(): Promise<TaskQueueStatistics> {
    const counts = await this.#ifAvailable(this.counts.now());
    const totals = counts && (await this.#ifAvailable(this.queueTotals.now()));
    return queueStatistics(totals ?? this.statistics.total(), counts, this.inline.load());
  }

  /** How long the tasks of each class waited in this process since it started, and what the class promises. */
  waits(): ClassWait[] {
    const { priorities } = this.options;
    return this.statistics.waits.entries().map(([priority, { buckets, sumMs, missed }]) => {
      return { priority, promisedMs: priorities[priority].maxWaitMs, buckets: [...buckets], sumMs, missed };
    });
  }

  /** A health check. @throws {QueueUnavailableError} @throws the signal's reason */
  async ready(signal?: AbortSignal): Promise<void> {
    await this.store.ping(signal);
  }

  /** Figures for a scrape; waits for nothing. */
  collect(): MetricFamily[] {
    return [...metricFamilies(this.statistics, this.counts.lastKnown()), ...outboxFamilies(this.relay)];
  }

  async #lookAtRest(before: Readonly<TaskCounters>): Promise<DrainLook> {
    const { relayed } = this.relay;
    const { waiting, running, delayed } = await this.counts.now();
    const { dueAtMs, isPaused } = await this.store.head();
    const inline = this.inline.load();
    const now = this.statistics.total();
    return {
      progress: {
        completed: now.completed - before.completed,
        failed: now.failed - before.failed,
        cancelled: now.cancelled - before.cancelled,
        waiting: waiting + inline.pending,
        running: running + inline.running,
        delayed,
        isPaused: isPaused || this.inline.isPaused,
      },
      dueAtMs,
      isRelaying: this.relay.isRelaying || this.relay.relayed !== relayed,
    };
  }

  async #ifAvailable<T>(answer: Promise<T>): Promise<T | undefined> {
    return answer.catch((error: unknown) => {
      if (error instanceof QueueUnavailableError) return undefined;
      throw error;
    });
  }

  async #submitAll(tasks: readonly NewTask[]): Promise<{ id: string }[]> {
    return (await this.submitter.submitMany(tasks)).map((id) => ({ id }));
  }

  async #find(definition: AnyTaskDefinition, id: string): Promise<TaskRecord | null> {
    assertTaskId(definition, id);
    const inline = this.inline.find(definition, id);
    if (inline) return inline.record();
    return this.#look(definition, id, {
      inStore: () => this.store.find(definition, id),
      inOutbox: (row) => outboxRecord(definition, row),
    });
  }

  /** What is neither in the store nor in the outbox may have been relayed between the two looks. */
  async #look<T>(
    definition: AnyTaskDefinition,
    id: string,
    { inStore, inOutbox }: { inStore: () => Promise<T | null>; inOutbox: (row: OutboxRow) => T },
  ): Promise<T | null> {
    const found = await inStore();
    if (found || !this.outbox.mayHoldTasks) return found;
    const row = await this.outbox.find(definition, id);
    return row ? inOutbox(row) : inStore();
  }

  /** One that waits in the outbox is removed there and leaves no trace. */
  async #cancelStored(
    definition: AnyTaskDefinition,
    ids: readonly string[],
    reason: string,
  ): Promise<CancelOutcome[]> {
    const outcomes = await this.store.cancel(definition, ids, reason);
    const missing = ids.filter((_id, index) => outcomes[index] === 'not-found');
    if (missing.length === 0 || !this.outbox.mayHoldTasks) return outcomes;
    const removed = await this.outbox.cancel(definition, missing);
    // The others may have been relayed since the first look.
    const rest = missing.filter((id) => !removed.has(id));
    const later = (await this.store.cancel(definition, rest, reason)).values();
    return outcomes.map((outcome, index) => {
      if (outcome !== 'not-found') return outcome;
      return removed.has(ids[index] ?? '') ? 'cancelled' : (later.next().value ?? outcome);
    });
  }

  async #newTask(definition: AnyTaskDefinition, payload: unknown, options: SubmitOptions): Promise<NewTask> {
    if (this.#tasks.get(definition.name) !== definition) throw new UnknownTaskError(definition.name);
    const { maxPayloadBytes, clock } = this.options;
    return toNewTask(definition, payload, options, maxPayloadBytes, clock.now());
  }
}

function isTaskItem<P>(item: P | TaskItem<P>): item is TaskItem<P> {
  if (typeof item !== 'object' || item === null) return false;
  const keys = Object.keys(item);
  return keys.length === 2 && 'payload' in item && 'id' in item && typeof item.id === 'string';
}
