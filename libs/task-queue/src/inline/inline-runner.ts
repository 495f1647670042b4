import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { type CancelOutcome } from '../backend/task-operations.js';
import { pauseFor, type TaskClock } from '../clock.js';
import { DeadlineError, withDeadline } from '../deadline.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { jobId } from '../definition/task-id.js';
import { type EncodedPayload } from '../definition/task-payload.js';
import { Attempt } from '../execution/attempt.js';
import { type AttemptOutcome, AttemptRunner } from '../execution/attempt-runner.js';
import { HandlerRegistry } from '../execution/handler-registry.js';
import { afterFailure, companyOf } from '../execution/isolation.js';
import { isPermanent } from '../execution/permanent-error.js';
import { retryDelayMs } from '../execution/retry-delay.js';
import { Slots } from '../execution/slots.js';
import { toError } from '../execution/storable-text.js';
import { createMemoryLimiter } from '../limits/create-rate-limiter.js';
import { RateLimiter } from '../limits/rate-limiter.js';
import { TaskLimits } from '../limits/task-limits.js';
import { type NewTask } from '../queue/new-task.js';
import { TaskDeadlines } from '../queue/task-deadlines.js';
import { TaskStatistics } from '../statistics/task-statistics.js';
import { TaskCancelledError, TaskStoppedError } from '../task-queue.errors.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { ThrottledLog } from '../throttled-log.js';
import { TransactionalCompletion } from '../transactional/transactional-completion.js';
import { InlineDuplicates } from './inline-duplicates.js';
import { InlineGate } from './inline-gate.js';
import { InlineTask } from './inline-task.js';

/** Ended tasks that are remembered. */
const RECORDS_KEPT = 1_000;
const TASKS_AT_ONCE = 10;

/**
 * Runs tasks in the process that submits them: the same attempts, timeouts, batches, retries and counters as in a
 * worker. What has ended is remembered, a bounded number of it, by this process only.
 */
@Injectable()
export class InlineRunner implements BeforeApplicationShutdown {
  readonly #log = new ThrottledLog(new Logger('TaskQueue'));
  readonly #tasks = new Map<string, InlineTask>();
  readonly #ends = new Map<string, Promise<void>>();
  readonly #duplicates: InlineDuplicates;
  readonly #clock: TaskClock;
  readonly #stopping = new AbortController();
  readonly #gate = new InlineGate();
  readonly #deadlines: TaskDeadlines;
  readonly #runner: AttemptRunner;
  readonly #limits: TaskLimits;
  readonly #completion: TransactionalCompletion;

  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    private readonly handlers: HandlerRegistry,
    private readonly statistics: TaskStatistics,
    limiter: RateLimiter,
  ) {
    this.#clock = options.clock;
    this.#duplicates = new InlineDuplicates(options.clock);
    this.#deadlines = new TaskDeadlines(options.priorities);
    // No limit on slots: a handler that submits and waits for another inline task must not wait for itself.
    // A store that is not there must not stop what needs none: then the limits hold for this process alone.
    this.#limits = new TaskLimits(limiter, statistics, this.#log, createMemoryLimiter());
    this.#completion = new TransactionalCompletion(options.transactions, null);
    this.#runner = new AttemptRunner(handlers, new Slots(Infinity), statistics, options.clock);
    options.inlineControl.attach(this);
  }

  /**
   * Ends when the task has, whichever way; a delayed one is only noted. An id that is known runs nothing.
   *
   * @returns the id, another than asked for when the task is a duplicate
   * @throws {TaskHandlerMissingError} nothing was run
   */
  async run(task: NewTask): Promise<string> {
    this.assertHandled(task.definition);
    const key = jobId(task.definition, task.id);
    if (!this.#tasks.has(key)) {
      const first = this.#duplicates.claim(task);
      if (first !== undefined) return first;
      const inline = new InlineTask(task, this.#clock.now());
      this.#tasks.set(key, inline);
      this.options.inlineControl.accepted(inline);
      this.#begin(key, inline);
    }
    const [inline, end] = [this.#tasks.get(key), this.#ends.get(key)];
    if (inline && end) await this.options.inlineControl.submitted(task, inline, end);
    return task.id;
  }

  /** A few at once, and as many as fill two batches. @throws {TaskHandlerMissingError} nothing was run */
  async runMany(tasks: readonly NewTask[]): Promise<string[]> {
    for (const task of tasks) this.assertHandled(task.definition);
    return inLanes(tasks, tasks, (task) => this.run(task));
  }

  /** @throws {TaskHandlerMissingError} */
  assertHandled(definition: AnyTaskDefinition): void {
    if (!this.options.inlineControl.acceptsUnhandled) this.handlers.handlerOf(definition);
  }

  find(definition: AnyTaskDefinition, id: string): InlineTask | undefined {
    return this.#tasks.get(jobId(definition, id));
  }

  /** Those that have failed for good, by job id. */
  failed(): ReadonlyMap<string, InlineTask> {
    return new Map([...this.#tasks].filter(([, inline]) => isFailed(inline)));
  }

  /** By job id. */
  has(key: string): boolean {
    return this.#tasks.has(key);
  }

  /**
   * Runs those that have failed for good once more, like `runMany`, under their ids.
   *
   * @returns in the order of the job ids, `undefined` of one that has not failed @throws {TaskHandlerMissingError}
   */
  async redrive(keys: readonly string[]): Promise<('redriven' | 'duplicate' | undefined)[]> {
    const tasks = keys.map((key) => this.#tasks.get(key)?.task).filter((it) => it !== undefined);
    return inLanes(keys, tasks, async (key) => {
      const inline = this.#tasks.get(key);
      if (!isFailed(inline)) return undefined;
      const holder = this.#duplicates.claim(inline.task);
      if (holder !== undefined && holder !== inline.task.id) return 'duplicate';
      inline.revive(this.#clock.now());
      this.#begin(key, inline);
      await this.#ends.get(key);
      return 'redriven';
    });
  }

  /** Forgets one that has failed for good. @returns whether there was one */
  forget(key: string): boolean {
    return isFailed(this.#tasks.get(key)) && this.#tasks.delete(key);
  }

  /** `undefined`: the task is not one of this process. */
  cancel(definition: AnyTaskDefinition, id: string, reason: string): CancelOutcome | undefined {
    const inline = this.find(definition, id);
    if (!inline) return undefined;
    if (inline.finishedAt) return 'ended';
    const error = new TaskCancelledError(definition.name, id, reason);
    inline.cancellation.abort(error);
    inline.attempt?.abort(error);
    return inline.attempt ? 'cancelling' : 'cancelled';
  }

  /** What runs goes on; no attempt begins. */
  pause(): void {
    this.#gate.close();
  }

  resume(): void {
    this.#gate.open();
  }

  get isPaused(): boolean {
    return this.#gate.isClosed;
  }

  /** Batches wait no longer for more. */
  flush(): void {
    this.#runner.flush();
  }

  /** Tasks of this process that have not ended. */
  load(): { pending: number; running: number; deadLettered: number } {
    let running = 0;
    for (const key of this.#ends.keys()) if (this.#tasks.get(key)?.attempt) running++;
    return { pending: this.#ends.size - running, running, deadLettered: this.failed().size };
  }

  /** Tasks run in a caller's request, so they get the same time as a worker's; then they fail. */
  async beforeApplicationShutdown(): Promise<void> {
    const ends = Promise.all(this.#ends.values());
    this.#stopping.abort(new TaskStoppedError());
    try {
      await withDeadline(ends, this.options.closeTimeoutMs);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      this.#log.warn('Inline tasks were aborted', error);
      for (const inline of this.#tasks.values()) inline.attempt?.abort(new TaskStoppedError());
      await ends;
    }
  }

  #begin(key: string, inline: InlineTask): void {
    const end = this.#runToEnd(inline).finally(() => {
      this.#ends.delete(key);
      this.#duplicates.release(inline.task);
      this.#forgetOldest();
    });
    this.#ends.set(key, end);
  }

  /** Never rejects: how the task ended is in its record. */
  async #runToEnd(inline: InlineTask): Promise<void> {
    const { definition, id } = inline.task;
    const counters = this.statistics.of(definition.name);
    try {
      if (inline.delayMs > 0) await this.#pause(inline, inline.delayMs);
      const outcome = await this.#runUntilOutcome(inline);
      if (outcome.kind === 'cancelled') throw new TaskCancelledError(definition.name, id, outcome.reason);
      if (outcome.kind === 'committed' && outcome.error !== undefined) {
        this.#log.warn('A handler failed after its task had completed', outcome.error);
      }
      counters.completed++;
      inline.state = 'completed';
      inline.result = outcome.result;
      delete inline.error;
    } catch (error) {
      if (error instanceof TaskCancelledError) {
        counters.cancelled++;
        Object.assign(inline, { state: 'cancelled', cancelReason: error.reason });
        delete inline.error;
      } else {
        counters.failed++;
        inline.state = 'failed';
        inline.failed(error);
      }
    }
    inline.finishedAt = new Date(this.#clock.now());
  }

  /** Every attempt that is due. @throws the error of the last one, or the reason of a stop or a cancellation */
  async #runUntilOutcome(inline: InlineTask): Promise<Exclude<AttemptOutcome, { kind: 'retry-after' }>> {
    const { definition } = inline.task;
    for (;;) {
      const signal = AbortSignal.any([this.#stopping.signal, inline.cancellation.signal]);
      await this.#gate.passed(signal);
      await this.options.inlineControl.admit(inline, signal);
      try {
        await this.#passLimit(inline);
        const outcome = await this.#tryOnce(inline);
        if (outcome.kind !== 'retry-after') return outcome;
        await this.#limits.pause(definition, encodedPayload(inline.task), outcome.delayMs);
        await this.#pause(inline, outcome.delayMs);
      } catch (error) {
        const isOver = error instanceof TaskStoppedError || error instanceof TaskCancelledError;
        if (isOver || inline.attempts >= definition.attempts || isPermanent(error)) throw error;
        inline.failed(error);
        this.statistics.of(definition.name).retries++;
        await this.#pause(inline, retryDelayMs(definition.backoff, inline.attempts, toError(error)));
      }
    }
  }

  /** Waits until the limit of the task lets it run. @throws as `#pause` */
  async #passLimit(inline: InlineTask): Promise<void> {
    const { definition } = inline.task;
    for (let slotUs = 0; ;) {
      const later = await this.#limits.postpone(definition, encodedPayload(inline.task), slotUs);
      if (!later) return;
      slotUs = later.slotUs;
      await this.#pause(inline, later.delayMs);
    }
  }

  async #tryOnce(inline: InlineTask): Promise<AttemptOutcome> {
    const { definition, id, priority } = inline.task;
    const isFirst = ++inline.runs === 1;
    const number = inline.attempts + 1;
    const attempt = new Attempt({
      definition,
      id,
      number,
      fence: inline.runs,
      payload: encodedPayload(inline.task),
      priority: this.#deadlines.numberOf(priority, this.#clock.now()),
      reporter: inline.reporter,
      company: companyOf(inline.isolation, definition, number),
      trace: inline.task.trace,
      complete: (result, onCommit) => this.#completion.complete(definition, null, result, onCommit),
      ...(isFirst && {
        onStart: () => this.statistics.waited(priority, this.#clock.now() - inline.dueAt.getTime()),
      }),
    });
    Object.assign(inline, { state: 'running', startedAt: new Date(this.#clock.now()), attempt });
    try {
      const outcome = await this.#runner.run(attempt);
      if (outcome.kind !== 'retry-after') inline.attempts++;
      return outcome;
    } catch (error) {
      inline.attempts++;
      inline.isolation = afterFailure(inline.isolation, attempt.failedTogether);
      throw error;
    } finally {
      delete inline.attempt;
    }
  }

  /** @throws {TaskStoppedError} when the process stops meanwhile @throws {TaskCancelledError} */
  async #pause(inline: InlineTask, delayMs: number): Promise<void> {
    inline.state = 'delayed';
    inline.dueAt = new Date(this.#clock.now() + delayMs);
    const signal = AbortSignal.any([this.#stopping.signal, inline.cancellation.signal]);
    await pauseFor(this.#clock, delayMs, signal);
    inline.state = 'waiting';
  }

  #forgetOldest(): void {
    let excess = this.#tasks.size - this.#ends.size - RECORDS_KEPT;
    for (const [key, inline] of this.#tasks) {
      if (excess <= 0) return;
      if (!inline.finishedAt) continue;
      this.#tasks.delete(key);
      excess--;
    }
  }
}

function isFailed(inline: InlineTask | undefined): inline is InlineTask {
  return inline?.state === 'failed' && inline.finishedAt !== undefined;
}

/** A few at once, and as many as fill two batches of the tasks. @returns in the order of the items */
async function inLanes<T, R>(
  items: readonly T[],
  tasks: readonly NewTask[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const largestBatch = Math.max(0, ...tasks.map((it) => it.definition.batch?.size ?? 0));
  const lane = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.max(TASKS_AT_ONCE, 2 * largestBatch) }, lane));
  return results;
}

function encodedPayload({ payload, schemaVersion }: NewTask): EncodedPayload {
  return { text: payload, schemaVersion };
}
