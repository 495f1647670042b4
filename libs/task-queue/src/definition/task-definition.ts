import { type z } from 'zod';
import { type TaskPriority } from './task-priority.js';

interface BackoffBounds {
  /** Share of the delay, 0 to 1, that chance may take away. */
  readonly jitter: number;
  /** Ceiling of the delay, milliseconds, whatever the type asks for. */
  readonly maxDelayMs: number;
}

/** How long to wait before the next attempt. */
export type TaskBackoff = BackoffBounds &
  (
    | {
        /** `exponential` doubles the delay with every failed attempt. */
        readonly type: 'exponential' | 'fixed';
        /** Delay before the second attempt, milliseconds. */
        readonly delayMs: number;
      }
    | {
        readonly type: 'custom';
        /**
         * Milliseconds before the next attempt. What is no number or below 0 counts as 0; what it throws, as the
         * default delay of 1,000 ms.
         *
         * @param failedAttempts from 1
         */
        readonly delayMs: (failedAttempts: number, error: Error) => number;
      }
  );

/** Up to `size` tasks are handled in one call; a smaller batch goes out after `maxWaitMs`. */
export interface TaskBatch {
  readonly size: number;
  /** Longest time that a claimed task waits for others, milliseconds. */
  readonly maxWaitMs: number;
}

// The functions below are methods, so that a definition of a narrow payload still is an `AnyTaskDefinition`.

/** A token bucket for the task, or one for each key; shared by all processes. */
export interface TaskRateLimit<P = unknown> {
  /** Tokens that flow in. */
  readonly ratePerSecond: number;
  /** Tokens that the bucket holds. */
  readonly burst: number;
  /** Payloads of one key share a bucket; without it the task has a single one. */
  key?(payload: P): string;
  /** Tokens that a payload takes; 1 without it. */
  cost?(payload: P): number;
  /** A handler that answers `retryAfter` pauses the bucket of its task. @default false */
  readonly pauseOnRetryAfter?: boolean;
}

/** Submitting a second task with the key of one that has not ended answers with the id of the first. */
export interface TaskDedupe<P = unknown> {
  key(payload: P): string;
  /** Holds for this long instead, milliseconds from the first submission, whether or not the first has ended. */
  readonly windowMs?: number;
}

/** Turns a payload of one version, as it lay in the store, into one of the next. */
export type PayloadUpgrade = (old: unknown) => unknown;

/** What a kind of task is called, carries, and how it is run. Made by `defineTask`; frozen. */
export interface TaskDefinition<S extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly payload: S;
  /** Version of the payload's schema, from 1; it travels with every payload. */
  readonly version: number;
  /** By the version that they start from, without a gap up to `version - 1`. */
  readonly upgrades: Readonly<Record<number, PayloadUpgrade>>;
  readonly priority: TaskPriority;
  /** How often it is tried, the first time included. */
  readonly attempts: number;
  readonly backoff: TaskBackoff;
  /** Of one attempt, milliseconds. */
  readonly timeoutMs: number;
  /** How often its worker may die while nothing else runs in that process, before it fails for good as poison. */
  readonly maxCrashes: number;
  readonly rateLimit?: TaskRateLimit<z.output<S>>;
  readonly batch?: TaskBatch;
  readonly dedupe?: TaskDedupe<z.output<S>>;
  /** Whether it may be submitted over HTTP. */
  readonly public: boolean;
}

export type AnyTaskDefinition = TaskDefinition;

/** What the handler gets: the payload after the schema has parsed it. */
export type TaskPayload<D extends AnyTaskDefinition> = z.output<D['payload']>;

/** What is submitted. It travels as JSON, so a `Date` arrives as a string. */
export type TaskPayloadInput<D extends AnyTaskDefinition> = z.input<D['payload']>;
