import { isDeepStrictEqual } from 'node:util';
import { type StoreJob } from '../backend/queue-backend.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { type StoredPayload } from '../definition/task-payload.js';
import {
  afterClaim,
  afterFailure,
  type Company,
  companyOf,
  type IsolationRecord,
  NOTHING,
} from '../execution/isolation.js';
import { type ThrottledLog } from '../throttled-log.js';

/**
 * Keeps what is held against a claimed task. It writes only when that changes, so a task that never met a bad end
 * costs nothing. Best effort: what cannot be noted is not held against the task.
 */
export class JobIsolation {
  #record: IsolationRecord;
  /** Whether the worker that had it before has died or lost it. */
  readonly isTakenOver: boolean;

  constructor(
    private readonly job: StoreJob,
    private readonly token: string,
    private readonly lockDurationMs: number,
    private readonly log: ThrottledLog,
  ) {
    const { isolation = NOTHING } = job.data;
    this.#record = afterClaim(isolation, job.stalledCounter, job.attemptsStarted);
    this.isTakenOver = this.#record !== isolation;
  }

  isPoison({ maxCrashes }: AnyTaskDefinition): boolean {
    return this.#record.crashes >= maxCrashes;
  }

  companyIn(definition: AnyTaskDefinition): Company {
    return companyOf(this.#record, definition, this.job.attemptsMade + 1);
  }

  /** At once: who claims it next must know, also when this claim does not come to a run. */
  async takenOver(): Promise<void> {
    await this.#keep(this.#record);
  }

  /**
   * A suspect may have waited long for its turn, in a process so slow that it has not noticed the loss of its claim. Run
   * beside its successor it would end another worker, and overwrite what is held against it.
   *
   * @returns false: it must not run
   */
  async beginTrial(alone: boolean): Promise<boolean> {
    if (await this.#isLost()) return false;
    await this.#keep({ ...this.#record, trial: { claim: this.job.attemptsStarted, alone } });
    return true;
  }

  /** Its run has come back. @param together it failed with others */
  async cameBack(together: boolean): Promise<void> {
    await this.#keep(afterFailure(this.#record, together));
  }

  /** It fails as poison. Whoever redrives it gives it the same number of chances again, alone. */
  async convicted(): Promise<number> {
    const { crashes } = this.#record;
    await this.#keep({ ...this.#record, crashes: 0 });
    return crashes;
  }

  async #isLost(): Promise<boolean> {
    try {
      return (await this.job.extendLock(this.token, this.lockDurationMs)) === 0;
    } catch (error) {
      this.log.warn('The claim of a suspect could not be renewed', error);
      return false;
    }
  }

  async #keep(record: IsolationRecord): Promise<void> {
    this.#record = record;
    const { isolation = NOTHING } = this.job.data;
    if (isDeepStrictEqual(record, isolation)) return;
    const data: StoredPayload = { ...this.job.data, isolation: record };
    await this.job
      .updateData(data)
      .catch((error: unknown) => this.log.warn('The isolation of a task could not be noted', error));
  }
}
