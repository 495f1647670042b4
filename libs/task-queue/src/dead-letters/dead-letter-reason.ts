import {
  InvalidPayloadError,
  PermanentTaskError,
  TaskPoisonedError,
  TaskStoppedError,
  TaskTooNewError,
  UnknownTaskError,
} from '../task-queue.errors.js';
import { isStallFailure } from './stall-failure.js';

/** Why a task was given up, as far as its record tells. */
export type DeadLetterReason =
  /** All attempts failed. */
  | 'exhausted'
  /** An error said that trying again is pointless. */
  | 'permanent'
  /** Its payload no longer fits the schema. */
  | 'invalid-payload'
  /** Its worker died while nothing else ran there, too often. */
  | 'poisoned'
  /** More workers than `maxStalledCount` died or lost it. */
  | 'stalled'
  /** No worker knew it for an hour. */
  | 'unknown-task'
  /** No worker could read so new a payload for an hour. */
  | 'newer-version'
  /** An inline task whose process stopped. */
  | 'stopped';

export interface FailureFacts {
  readonly task: string;
  readonly error: string;
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Of the last attempt. */
  readonly stack: string | undefined;
}

/** The store keeps a message and a stack, whose first line begins with the error's class. */
export function deadLetterReason({
  task,
  error,
  attempts,
  maxAttempts,
  stack = '',
}: FailureFacts): DeadLetterReason {
  if (isStallFailure(error)) return 'stalled';
  if (error === new UnknownTaskError(task).message) return 'unknown-task';
  if (error === new TaskStoppedError().message) return 'stopped';
  if (isTooNew(task, error)) return 'newer-version';
  if (stack.startsWith(`${InvalidPayloadError.name}:`)) return 'invalid-payload';
  if (stack.startsWith(`${TaskPoisonedError.name}:`)) return 'poisoned';
  if (stack.startsWith(`${PermanentTaskError.name}:`) || attempts < maxAttempts) return 'permanent';
  return 'exhausted';
}

function isTooNew(task: string, error: string): boolean {
  const [version, known] = error.match(/\d+/g)?.slice(-2).map(Number) ?? [];
  return error === new TaskTooNewError(task, version ?? 0, known ?? 0).message;
}
