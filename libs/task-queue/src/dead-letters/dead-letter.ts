import { type TaskProgress } from '../definition/task-executor.js';
import { type TaskPriority } from '../definition/task-priority.js';
import { type DeadLetterReason } from './dead-letter-reason.js';

/** A task that has failed for good. It is kept in place, under its id, until it is redriven, purged or too old. */
export interface DeadLetter {
  readonly task: string;
  readonly id: string;
  /** Message of the last error. */
  readonly error: string;
  /** Of task and error, 16 hexadecimal digits; the same for errors that differ in numbers, ids and quoted text. */
  readonly fingerprint: string;
  /** Since it was submitted, or redriven last. */
  readonly attempts: number;
  readonly failedAt: Date;
  readonly submittedAt: Date;
  readonly priority: TaskPriority;
  /** How often it was a dead letter before. */
  readonly redrives: number;
}

/** Everything that is known about a dead letter. */
export interface DeadLetterDetail extends DeadLetter {
  /** As it was submitted; the text itself where that is no JSON. */
  readonly payload: unknown;
  /** Version of the payload's schema. */
  readonly schemaVersion: number;
  readonly reason: DeadLetterReason;
  /** Of the latest attempts, three at most, the last one last. */
  readonly stacks: readonly string[];
  /** What the handler logged, the latest lines. Not kept of an inline task. */
  readonly log: readonly string[];
  readonly progress: TaskProgress | null;
  readonly maxAttempts: number;
  /** How often a worker has taken it, over all its lives. */
  readonly claims: number;
  /** Claims that ended with the death of the worker, since it was submitted, or redriven last. */
  readonly stalls: number;
  /** Host and process that claimed it last. */
  readonly worker?: string;
  readonly startedAt?: Date;
  /** How its earlier lives ended, the latest five, the last one last. */
  readonly failures: readonly PastFailure[];
}

/** The end of a task that was redriven afterwards. */
export interface PastFailure {
  readonly error: string;
  readonly failedAt: Date;
  readonly attempts: number;
}

/** Dead letters with the same fingerprint. */
export interface DeadLetterGroup {
  readonly fingerprint: string;
  readonly task: string;
  /** Of the latest. */
  readonly error: string;
  readonly count: number;
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
  /** Of the latest five. */
  readonly ids: readonly string[];
}

/** Which dead letters; what is left out does not restrict. */
export interface DeadLetterFilter {
  readonly task?: string;
  readonly fingerprint?: string;
  /** A part of the error's message, case counts. */
  readonly error?: string;
  readonly failedSince?: Date;
  /** Itself not included. */
  readonly failedBefore?: Date;
}

/** All that a filter finds; or some of one task; or a single one, of which it is an error when it is not dead. */
export type DeadLetterSelection =
  | DeadLetterFilter
  | { readonly task: string; readonly ids: readonly string[] }
  | { readonly task: string; readonly id: string };

export interface DeadLetterPage {
  /** The latest failure first. */
  readonly items: readonly DeadLetter[];
  /** For the next call; `null` when there are no more. */
  readonly nextCursor: string | null;
}

export interface DeadLetterListOptions extends DeadLetterFilter {
  /** 1 to 1,000. @default 50 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** Why a selected task was left as it is. */
export type RedriveSkip = 'not-found' | 'not-dead' | 'duplicate';

export interface RedriveResult {
  /** Tasks that the selection names. */
  readonly matched: number;
  readonly redriven: number;
  readonly skipped: number;
  /** `duplicate`: another task has its `dedupe.key` by now. */
  readonly skips: Readonly<Partial<Record<RedriveSkip, number>>>;
}

export interface RedriveOptions {
  /** Counts and changes nothing. @default false */
  readonly dryRun?: boolean;
  /** Tasks a second at most. @default as fast as the store can */
  readonly ratePerSecond?: number;
  /** Ends the redrive between two tasks; what was redriven stays so. */
  readonly signal?: AbortSignal;
  /** Told after every step, with the numbers so far. */
  readonly onProgress?: (soFar: RedriveResult) => void;
}

export interface PurgeResult {
  /** Tasks that the selection names. */
  readonly matched: number;
  readonly purged: number;
}
