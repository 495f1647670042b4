import { setImmediate as letOthersIn } from 'node:timers/promises';

import { BenchInvalidMeasurementError } from '../../bench.errors.ts';
import { quantile } from '../../harness/statistics.ts';
import type { Subject } from '../libraries/contract.ts';

export interface HitsSample {
  /** CPU of this process for one read, microseconds. */
  readonly cpu: number;
  /** From the call to the answer, microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** After as many the loop turns, as it does in life: who never lets it hears of no change, and trusts nothing. */
const IDS = 1_000;

/** @param amount reads of one row each, of a thousand rows that were all read before */
export async function measureHits(subject: Subject, amount: number): Promise<HitsSample> {
  // Twice the whole: code is compiled as late as that.
  await readAll(subject, 2 * Math.max(amount, IDS));
  globalThis.gc?.();
  const hitsBefore = subject.hits?.();
  const before = process.cpuUsage();
  await readAll(subject, amount);
  const { user, system } = process.cpuUsage(before);
  if (hitsBefore !== undefined && subject.hits?.() !== hitsBefore + amount)
    throw new BenchInvalidMeasurementError('a read that should have been a hit was none');
  const timesUs = await timeAll(subject, amount);
  return {
    cpu: (user + system) / amount,
    p50: quantile(timesUs, 0.5),
    p99: quantile(timesUs, 0.99),
    max: quantile(timesUs, 1),
  };
}

async function readAll(subject: Subject, amount: number): Promise<void> {
  for (let i = 0; i < amount; i++) {
    await subject.readOne(1 + (i % IDS));
    if (i % IDS === 0) await letOthersIn();
  }
}

async function timeAll(subject: Subject, amount: number): Promise<number[]> {
  const timesUs: number[] = [];
  for (let i = 0; i < amount; i++) {
    const startedAt = performance.now();
    await subject.readOne(1 + (i % IDS));
    timesUs.push(1_000 * (performance.now() - startedAt));
    if (i % IDS === 0) await letOthersIn();
  }
  return timesUs;
}
