import { setTimeout as delay } from 'node:timers/promises';

import { quantile } from '../../harness/statistics.ts';
import type { PoolSubject } from '../libraries/contract.ts';

export interface FloodSample {
  /** From the call to the answer of a high-priority statement, milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Low-priority statements that ended meanwhile, a second. */
  readonly low: number;
}

export const CONNECTIONS = 10;
export const LOW_CALLERS = 200;
const LOW = 'SELECT pg_sleep(0.005)';
const HIGH = 'SELECT 1';
const PAUSE_MS = 5;

/** @param seconds of many low-priority callers, each asking again as soon as it is answered, and one of high priority */
export async function measureFlood(pool: PoolSubject, seconds: number): Promise<FloodSample> {
  let isOver = false;
  let low = 0;
  const callers = Array.from({ length: LOW_CALLERS }, async () => {
    while (!isOver) {
      await pool.run(LOW, 'low');
      low++;
    }
  });
  while (low < LOW_CALLERS) await delay(PAUSE_MS);
  const [startedAt, lowBefore] = [performance.now(), low];
  const timesMs: number[] = [];
  while (performance.now() < startedAt + 1_000 * seconds) {
    const askedAt = performance.now();
    await pool.run(HIGH, 'high');
    timesMs.push(performance.now() - askedAt);
    await delay(PAUSE_MS);
  }
  const tookMs = performance.now() - startedAt;
  const done = low - lowBefore;
  isOver = true;
  await Promise.all(callers);
  return { p50: quantile(timesMs, 0.5), p99: quantile(timesMs, 0.99), low: (1_000 * done) / tookMs };
}
