import { setTimeout as delay } from 'node:timers/promises';

import { seededRandom } from '../../harness/random.ts';
import { quantile } from '../../harness/statistics.ts';
import type { PoolSubject } from '../libraries/contract.ts';

export interface LoadSample {
  /** Share of the statements that had a connection within 10 ms. */
  readonly efficiency: number;
  /** Wait for a connection, milliseconds. */
  readonly p99: number;
  /** Statements a second. */
  readonly rate: number;
}

export const CONNECTIONS = 20;
export const RATE_HZ = 1_000;
const STATEMENT = 'SELECT pg_sleep(0.01)';
const PROMPT_MS = 10;
const HIGH_SHARE = 0.3;

/**
 * Statements come as in life: on average as many a second as half of the connections can do, at random times (a Poisson
 * process), whether or not those before them are done.
 */
export async function measureLoad(pool: PoolSubject, seconds: number): Promise<LoadSample> {
  await Promise.all(Array.from({ length: 5 * CONNECTIONS }, () => pool.run(STATEMENT, 'low')));
  const random = seededRandom(7);
  const waits: Promise<number>[] = [];
  const startedAt = performance.now();
  let nextAt = startedAt;
  while (nextAt < startedAt + 1_000 * seconds) {
    while (nextAt <= performance.now()) {
      waits.push(pool.run(STATEMENT, random() < HIGH_SHARE ? 'high' : 'low'));
      nextAt -= (1_000 / RATE_HZ) * Math.log(1 - random());
    }
    await delay(1);
  }
  const waitsMs = await Promise.all(waits);
  return {
    efficiency: waitsMs.filter((it) => it <= PROMPT_MS).length / waitsMs.length,
    p99: quantile(waitsMs, 0.99),
    rate: (1_000 * waitsMs.length) / (performance.now() - startedAt),
  };
}
