import { jobId, taskId, taskName } from '../definition/task-id.js';
import { type TaskProgress } from '../definition/task-executor.js';
import { type DeadLetter, type DeadLetterDetail } from './dead-letter.js';
import { deadLetterReason } from './dead-letter-reason.js';
import {
  type DeadLetterPosition,
  type StoredDeadLetter,
  type StoredDeadLetterDetail,
} from './dead-letter-source.js';
import { fingerprintOf } from './fingerprint.js';

export function toDeadLetter(stored: StoredDeadLetter): DeadLetter {
  const task = taskName(stored.jobId);
  return {
    task,
    id: taskId(stored.jobId),
    error: stored.error,
    fingerprint: fingerprintOf(task, stored.error),
    attempts: stored.attempts,
    failedAt: new Date(stored.failedAtMs),
    submittedAt: new Date(stored.submittedAtMs),
    priority: stored.priority ?? 'NORMAL',
    redrives: stored.redrives,
  };
}

export function positionOf({ task, id, failedAt }: DeadLetter): DeadLetterPosition {
  return { failedAtMs: failedAt.getTime(), jobId: jobId({ name: task }, id) };
}

export function toDetail(stored: StoredDeadLetterDetail): DeadLetterDetail {
  const letter = toDeadLetter(stored);
  const { stacks, maxAttempts, worker, startedAtMs } = stored;
  return {
    ...letter,
    payload: fromJson(stored.payload),
    schemaVersion: stored.schemaVersion,
    reason: deadLetterReason({ ...letter, maxAttempts, stack: stacks.at(-1) }),
    stacks,
    log: stored.log,
    progress: stored.progress === null ? null : (fromJson(stored.progress) as TaskProgress),
    maxAttempts,
    claims: stored.claims,
    stalls: stored.stalls,
    ...(worker !== undefined && { worker }),
    ...(startedAtMs !== undefined && { startedAt: new Date(startedAtMs) }),
    failures: stored.failures.map(({ error, failedAtMs, attempts }) => ({
      error,
      failedAt: new Date(failedAtMs),
      attempts,
    })),
  };
}

/** Whoever inspects a dead letter may do so because its payload is broken. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
