import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq';
import { type StoreJob, type StoreWorker } from '../backend/queue-backend.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { taskId } from '../definition/task-id.js';
import { type EncodedPayload } from '../definition/task-payload.js';
import { Attempt } from '../execution/attempt.js';
import { type AttemptOutcome, type AttemptRunner } from '../execution/attempt-runner.js';
import { type HandlerRegistry } from '../execution/handler-registry.js';
import { isPermanent } from '../execution/permanent-error.js';
import { retryDelayMs } from '../execution/retry-delay.js';
import { storableError, toError } from '../execution/storable-text.js';
import { type Postponement, type TaskLimits } from '../limits/task-limits.js';
import { cancelledResult, cancelReasonOf } from '../queue/cancelled-result.js';
import { type TaskStatistics } from '../statistics/task-statistics.js';
import {
  TaskOwnershipLostError,
  TaskPoisonedError,
  TaskStoppedError,
  TaskTooNewError,
  UnknownTaskError,
} from '../task-queue.errors.js';
import { type ThrottledLog } from '../throttled-log.js';
import { type TransactionalCompletion } from '../transactional/transactional-completion.js';
import { type CancellationWatch } from './cancellation-watch.js';
import { JobIsolation } from './job-isolation.js';
import { JobReporter } from './job-reporter.js';
import { type JobReturns } from './job-returns.js';

export interface JobProcessorInput {
  readonly runner: AttemptRunner;
  readonly handlers: HandlerRegistry;
  readonly statistics: TaskStatistics;
  readonly returns: JobReturns;
  readonly limits: TaskLimits;
  readonly cancellations: CancellationWatch;
  /** Tasks that may be suspects at once among those that are held; the rest of the places is for others. */
  readonly maxSuspects: number;
  readonly lockDurationMs: number;
  readonly completion: TransactionalCompletion;
  readonly log: ThrottledLog;
}

/** Runs what BullMQ claims, and tells BullMQ how it ended. */
export class JobProcessor {
  /** By job id. */
  readonly running = new Map<string, Attempt>();
  /** Told how long a handler took, milliseconds. */
  onRun: ((tookMs: number) => void) | undefined;
  /** Gives back what is claimed from now on. */
  isHeld = false;
  readonly #it: JobProcessorInput;
  /** Until BullMQ asks for them. */
  readonly #retryDelays = new WeakMap<StoreJob, number>();
  #stopping = false;

  constructor(input: JobProcessorInput) {
    this.#it = input;
  }

  observe(worker: StoreWorker): void {
    worker.on('completed', (job, result) => this.#countEnd(job.name, result));
    worker.on('failed', (job) => job && this.#countFailure(job));
    worker.on('lockRenewalFailed', (ids) => ids.forEach((id) => this.#abortLost(id)));
  }

  /** @returns the result as text; throws what BullMQ expects for any other end */
  async process(job: StoreJob, token: string): Promise<string> {
    const { returns, handlers } = this.#it;
    const isolation = await this.#isolationOf(job, token);
    if (this.#stopping || this.isHeld || this.#abortLost(job.id ?? '')) return returns.giveBack(job, token);
    // Asked for while the task ran before: the watch was not there, or not fast enough.
    const cancelled = job.attemptsStarted > 1 ? await this.#cancellation(job) : undefined;
    if (cancelled !== undefined) return cancelled;
    const definition = handlers.definition(job.name);
    if (!definition) return returns.putOff(job, token, 'unknown-task', new UnknownTaskError(job.name));
    if (isolation.isPoison(definition)) return this.#failAsPoison(job, isolation);
    const attempt = this.#createAttempt(definition, job, token, isolation);
    if (this.#hasNoPlaceFor(attempt)) return returns.standAside(job, token);
    this.running.set(job.id ?? '', attempt);
    try {
      const later = await this.#it.limits.postpone(definition, attempt.payload, slotOf(job));
      if (later) return await this.#postpone(job, token, definition, later);
      const outcome = await this.#it.runner.run(attempt);
      if (outcome.kind === 'retry-after') await isolation.cameBack(false);
      return await this.#end(job, token, definition, outcome);
    } catch (error) {
      return await this.#fail(job, token, attempt, isolation, error);
    } finally {
      if (this.running.get(job.id ?? '') === attempt) this.running.delete(job.id ?? '');
      if (attempt.tookMs !== undefined) this.onRun?.(attempt.tookMs);
    }
  }

  /** Whole milliseconds, decided when the attempt failed. */
  retryDelayMs(job: StoreJob): number {
    return this.#retryDelays.get(job) ?? 0;
  }

  /** Nothing is begun any more; what waits for its turn goes back at once. */
  drain(): void {
    this.#stopping = true;
    for (const attempt of this.running.values()) attempt.drain(new TaskStoppedError());
  }

  /** Whatever still runs goes back. */
  abort(): void {
    for (const attempt of this.running.values()) attempt.abort(new TaskStoppedError());
  }

  /** Asked before all else: a death is held against a task whatever becomes of this claim. */
  async #isolationOf(job: StoreJob, token: string): Promise<JobIsolation> {
    const isolation = new JobIsolation(job, token, this.#it.lockDurationMs, this.#it.log);
    if (isolation.isTakenOver) {
      this.#it.statistics.of(job.name).suspects++;
      await isolation.takenOver();
    }
    return isolation;
  }

  #hasNoPlaceFor(attempt: Attempt): boolean {
    if (attempt.company.turn === 'common') return false;
    const suspects = [...this.running.values()].filter((it) => it.company.turn !== 'common');
    return suspects.length >= this.#it.maxSuspects;
  }

  async #failAsPoison(job: StoreJob, isolation: JobIsolation): Promise<never> {
    this.#it.statistics.of(job.name).poisoned++;
    throw unrecoverable(new TaskPoisonedError(job.name, await isolation.convicted()));
  }

  #createAttempt(
    definition: AnyTaskDefinition,
    job: StoreJob,
    token: string,
    isolation: JobIsolation,
  ): Attempt {
    const { priority = definition.priority } = job.data;
    const isFirst = job.attemptsStarted === 1;
    const dueAt = job.timestamp + (job.opts.delay ?? 0);
    return new Attempt({
      definition,
      id: taskId(job.id ?? ''),
      number: job.attemptsMade + 1,
      fence: job.attemptsStarted,
      payload: encodedPayload(job),
      priority: job.priority,
      reporter: new JobReporter(job, this.#it.log),
      company: isolation.companyIn(definition),
      trace: job.data.trace,
      onTrial: (alone) => isolation.beginTrial(alone),
      complete: (result, onCommit) =>
        this.#it.completion.complete(definition, { jobId: job.id ?? '', token }, result, onCommit),
      ...(isFirst && { onStart: () => this.#it.statistics.waited(priority, Date.now() - dueAt) }),
    });
  }

  async #postpone(
    job: StoreJob,
    token: string,
    definition: AnyTaskDefinition,
    { delayMs, slotUs }: Postponement,
  ): Promise<string> {
    const cancelled = await this.#cancellation(job);
    return cancelled ?? this.#it.returns.comeBack(job, token, definition, delayMs, 'rate-limit', slotUs);
  }

  async #end(
    job: StoreJob,
    token: string,
    definition: AnyTaskDefinition,
    outcome: AttemptOutcome,
  ): Promise<string> {
    switch (outcome.kind) {
      case 'completed':
        return outcome.result;
      case 'committed':
        return this.#endCommitted(job, outcome);
      case 'cancelled':
        return cancelledResult(outcome.reason);
      case 'retry-after':
        await this.#it.limits.pause(definition, encodedPayload(job), outcome.delayMs);
        return (
          (await this.#cancellation(job)) ??
          this.#it.returns.comeBack(job, token, definition, outcome.delayMs)
        );
    }
  }

  /** To BullMQ the claim is over; its event of a completion does not come. */
  #endCommitted(job: StoreJob, { result, error }: Extract<AttemptOutcome, { kind: 'committed' }>): never {
    this.#countEnd(job.name, result);
    if (error !== undefined) this.#it.log.warn('A handler failed after its task had completed', error);
    throw new WaitingError();
  }

  async #fail(
    job: StoreJob,
    token: string,
    { definition, failedTogether }: Attempt,
    isolation: JobIsolation,
    error: unknown,
  ): Promise<string> {
    const { returns } = this.#it;
    // How the attempt ended is known to BullMQ already.
    if (error instanceof DelayedError || error instanceof WaitingError) throw error;
    if (error instanceof TaskStoppedError) return returns.giveBack(job, token);
    if (error instanceof TaskTooNewError) return returns.putOff(job, token, 'newer-version', error);
    // Whoever has the lock decides now; nobody does until the search for stalled tasks finds it.
    if (error instanceof TaskOwnershipLostError) throw new WaitingError();
    const cancelled = await this.#cancellation(job);
    if (cancelled !== undefined) return cancelled;
    await isolation.cameBack(failedTogether);
    if (isPermanent(error)) throw unrecoverable(error);
    if (job.attemptsMade + 1 < (job.opts.attempts ?? 1)) {
      const delayMs = retryDelayMs(definition.backoff, job.attemptsMade + 1, toError(error));
      this.#retryDelays.set(job, delayMs);
      await returns.renewDeadline(job, definition, delayMs);
    }
    throw storableError(error);
  }

  /** The result of a task whose cancellation was asked for. Best effort: a failed look is no failed attempt. */
  async #cancellation(job: StoreJob): Promise<string | undefined> {
    const { cancellations, log } = this.#it;
    try {
      const reason = await cancellations.reasonFor(job.id ?? '');
      return reason === undefined ? undefined : cancelledResult(reason);
    } catch (error) {
      log.warn('Cancellations could not be looked up', error);
      return undefined;
    }
  }

  /**
   * The search for stalled tasks may find a task of this very process, before its renewal has failed. BullMQ tracks
   * locks by the task's id: the new claim's lock would hide that the older one's is lost, and end with its run.
   */
  #abortLost(jobId: string): boolean {
    const attempt = this.running.get(jobId);
    attempt?.abort(new TaskOwnershipLostError());
    return attempt !== undefined;
  }

  #countEnd(task: string, result: string): void {
    const counters = this.#it.statistics.of(task);
    if (cancelReasonOf(result) === undefined) counters.completed++;
    else counters.cancelled++;
  }

  #countFailure(job: StoreJob): void {
    const counters = this.#it.statistics.of(job.name);
    if (job.finishedOn) counters.failed++;
    else counters.retries++;
  }
}

/** Of the rate limit that put it off, unless it was claimed since: then it has run, or may have. */
function slotOf({ data: { putOff }, attemptsStarted }: StoreJob): number {
  return putOff?.reason === 'rate-limit' && putOff.claim === attemptsStarted ? (putOff.slotUs ?? 0) : 0;
}

function encodedPayload({ data: { payload, schema = 1 } }: StoreJob): EncodedPayload {
  return { text: payload, schemaVersion: schema };
}

function unrecoverable(error: unknown): UnrecoverableError {
  const { message, stack } = storableError(error);
  return Object.assign(new UnrecoverableError(message), { stack });
}
