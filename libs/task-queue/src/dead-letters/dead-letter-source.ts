import { type TaskPriority } from '../definition/task-priority.js';

/** Where a dead letter stands in the order of the list: latest failure first, then by id, highest first. */
export interface DeadLetterPosition {
  readonly failedAtMs: number;
  readonly jobId: string;
}

/** Everything but the fingerprint, which only this library computes. */
export interface DeadLetterQuery {
  readonly task?: string;
  /** Part of the message. */
  readonly error?: string;
  /** Epoch milliseconds, included. */
  readonly sinceMs?: number;
  /** Epoch milliseconds, not included. */
  readonly beforeMs?: number;
  /** Only what comes after it. */
  readonly after?: DeadLetterPosition;
  readonly limit: number;
}

/** A dead letter as the list needs it. */
export interface StoredDeadLetter extends DeadLetterPosition {
  readonly error: string;
  readonly attempts: number;
  readonly submittedAtMs: number;
  /** `undefined`: submitted before tasks had one. */
  readonly priority: TaskPriority | undefined;
  readonly redrives: number;
}

/** Everything about one. */
export interface StoredDeadLetterDetail extends StoredDeadLetter {
  /** JSON text. */
  readonly payload: string;
  readonly schemaVersion: number;
  readonly stacks: readonly string[];
  readonly log: readonly string[];
  /** JSON text, `null` before the first. */
  readonly progress: string | null;
  readonly maxAttempts: number;
  readonly claims: number;
  readonly stalls: number;
  readonly worker: string | undefined;
  readonly startedAtMs: number | undefined;
  readonly failures: readonly StoredFailure[];
}

/** The end of an earlier life. */
export interface StoredFailure {
  readonly error: string;
  readonly failedAtMs: number;
  readonly attempts: number;
}

/** Of a task that is no dead letter. */
export type NoDeadLetter = 'not-found' | 'not-dead';
export type RedriveOutcome = 'redriven' | 'duplicate' | NoDeadLetter;
export type PurgeOutcome = 'purged' | NoDeadLetter;

/** Ends of earlier lives that are kept with a task. */
export const FAILURES_KEPT = 5;

/** Tasks that have failed for good, and what becomes of them: those of a store, or those of this process. */
export interface DeadLetterSource {
  /** In order; fewer than the limit only when there are no more. @throws {QueueUnavailableError} */
  page(query: DeadLetterQuery): Promise<StoredDeadLetter[]>;

  /** @throws {QueueUnavailableError} */
  detail(jobId: string): Promise<StoredDeadLetterDetail | NoDeadLetter>;

  /**
   * Back to waiting, each in one atomic step: attempts and deaths of workers forgotten, a deadline from now, the
   * error among those of earlier lives.
   *
   * @returns in the order of the ids @throws {QueueUnavailableError} some of them may be redriven then
   */
  redrive(jobIds: readonly string[]): Promise<RedriveOutcome[]>;

  /** In the order of the ids; atomic for each. @throws {QueueUnavailableError} some of them may be gone then */
  purge(jobIds: readonly string[]): Promise<PurgeOutcome[]>;

  /** Which are dead letters. In the order of the ids. @throws {QueueUnavailableError} */
  states(jobIds: readonly string[]): Promise<('dead' | NoDeadLetter)[]>;
}
