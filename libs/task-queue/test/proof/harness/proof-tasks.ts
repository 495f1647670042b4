import { z } from 'zod';
import type { defineTask } from '../../../src/index.js';

/** How a task is meant to end, by the number in its payload. */
export type Fate =
  | 'completes'
  /** Its first attempt fails. */
  | 'completes-later'
  /** All its attempts fail. */
  | 'fails'
  /** Its first attempt fails, and no other is made. */
  | 'fails-at-once';

export const ATTEMPTS = 3;
export const BATCH_SIZE = 10;
export const CONCURRENCY = 4;
/** What a worker holds at most: its calls, and two batches. */
export const CLAIMS = CONCURRENCY + 2 * BATCH_SIZE;

export function fateOf(number: number): Fate {
  if (number % 20 === 3) return 'fails';
  if (number % 50 === 7) return 'fails-at-once';
  return number % 10 === 1 ? 'completes-later' : 'completes';
}

/** Whether the transaction that submits the tasks of this number is. */
export function isRolledBack(number: number): boolean {
  return number % 5 === 4;
}

/** Attempts that it takes to this end. */
export function attemptsOf(fate: Fate): number {
  return { completes: 1, 'completes-later': 2, fails: ATTEMPTS, 'fails-at-once': 1 }[fate];
}

/**
 * The tasks of the proofs.
 *
 * @param define of the sources in the test, of the built package in its processes
 */
export function proofTasks(define: typeof defineTask) {
  const shared = {
    payload: z.strictObject({ number: z.int().nonnegative() }),
    attempts: ATTEMPTS,
    backoff: { type: 'fixed', delayMs: 100 },
  } as const;
  return {
    single: define({ name: 'proof.single', ...shared }),
    batched: define({ name: 'proof.batched', ...shared, batch: { size: BATCH_SIZE, maxWaitMs: 20 } }),
  };
}

export function stateOf(fate: Fate): 'completed' | 'failed' {
  return fate.startsWith('completes') ? 'completed' : 'failed';
}
