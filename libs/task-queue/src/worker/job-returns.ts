import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq';
import { type StoreJob } from '../backend/queue-backend.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { type PutOff, type StoredPayload } from '../definition/task-payload.js';
import { storableText } from '../execution/storable-text.js';
import { type TaskDeadlines, TICK_MS } from '../queue/task-deadlines.js';
import { type ThrottledLog } from '../throttled-log.js';

/** A task that this version does not know may be known to the next: it goes back for an hour, then it fails. */
const PUT_OFF_DELAY_MS = 5_000;
const PUT_OFF_AT_MOST_MS = 3_600_000;
/**
 * A suspect that finds too many others on its worker waits as long as it has waited, so that many cost little, but not
 * for long: what comes back every few seconds keeps the workers' places for suspects taken.
 */
const STAND_ASIDE_MS = 250;
const STAND_ASIDE_AT_MOST_MS = 2_000;
const MAX_MESSAGE = 4_096;

/** Sends claimed tasks back to the store, at no cost of an attempt. Every method ends by throwing what BullMQ expects. */
export class JobReturns {
  constructor(
    private readonly deadlines: TaskDeadlines,
    private readonly log: ThrottledLog,
  ) {}

  /**
   * To the front of its equals. Where that does not succeed, the lock runs out and the search for stalled tasks
   * finds it.
   */
  async giveBack(job: StoreJob, token: string): Promise<never> {
    await job
      .moveToWait(token)
      .catch((error: unknown) => this.log.warn('A task could not be given back', error));
    throw new WaitingError();
  }

  /** Another process may be able to run it. Fails the task for good when none was for an hour. */
  async putOff(job: StoreJob, token: string, reason: PutOff['reason'], error: Error): Promise<never> {
    const now = Date.now();
    const since = sinceWhen(job, reason) ?? now;
    if (now - since >= PUT_OFF_AT_MOST_MS) {
      throw new UnrecoverableError(storableText(error.message, MAX_MESSAGE));
    }
    this.log.warn('A task was put off', error);
    return this.#delay(job, token, now + PUT_OFF_DELAY_MS, { reason, since, attempts: job.attemptsMade });
  }

  /** Too many suspects wait on this worker already; it leaves its place to what else there is to do. */
  async standAside(job: StoreJob, token: string): Promise<never> {
    const now = Date.now();
    const since = sinceWhen(job, 'suspects') ?? now;
    const delayMs = Math.min(Math.max(now - since, STAND_ASIDE_MS), STAND_ASIDE_AT_MOST_MS);
    return this.#delay(job, token, now + delayMs, { reason: 'suspects', since, attempts: job.attemptsMade });
  }

  /**
   * The handler, or a limit, asked for a later time.
   *
   * @param slotUs of a limit: what the next claim has to show for it
   */
  async comeBack(
    job: StoreJob,
    token: string,
    definition: AnyTaskDefinition,
    delayMs: number,
    reason: PutOff['reason'] = 'retry-after',
    slotUs = 0,
  ): Promise<never> {
    const now = Date.now();
    const slot = slotUs > 0 ? { slotUs, claim: job.attemptsStarted + 1 } : {};
    await this.renewDeadline(job, definition, delayMs);
    return this.#delay(job, token, now + delayMs, {
      reason,
      since: now,
      attempts: job.attemptsMade,
      ...slot,
    });
  }

  /**
   * What is tried again has its class's wait before it once more. With its old deadline, a thousand failed tasks that
   * come back would all go before the most urgent new one. Best effort.
   */
  async renewDeadline(job: StoreJob, definition: AnyTaskDefinition, delayMs: number): Promise<void> {
    const priority = job.data.priority ?? definition.priority;
    // A tick later: within one, PostgreSQL would run it before what has come since, by its first arrival.
    const number = this.deadlines.numberOf(priority, Date.now() + delayMs + TICK_MS);
    await job
      .changePriority({ priority: number })
      .catch((error: unknown) => this.log.warn('The deadline of a task could not be renewed', error));
  }

  /** Where that does not succeed, the lock runs out: an error of the store is no failed attempt. */
  async #delay(job: StoreJob, token: string, untilMs: number, putOff: PutOff): Promise<never> {
    try {
      await this.#note(job, putOff);
      await job.moveToDelayed(untilMs, token);
    } catch (error) {
      this.log.warn('A task could not be put off', error);
      throw new WaitingError();
    }
    throw new DelayedError();
  }

  async #note(job: StoreJob, putOff: PutOff): Promise<void> {
    if (sinceWhen(job, putOff.reason) === putOff.since) return;
    const data: StoredPayload = { ...job.data, putOff };
    await job.updateData(data);
  }
}

/** `undefined`: it was not put off for this reason, or has failed since. */
function sinceWhen(
  { data: { putOff }, attemptsMade }: StoreJob,
  reason: PutOff['reason'],
): number | undefined {
  return putOff?.reason === reason && putOff.attempts === attemptsMade ? putOff.since : undefined;
}
