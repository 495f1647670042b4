import { setTimeout as delay } from 'node:timers/promises';

import { quantile } from '../../harness/statistics.ts';
import { payloadOf, type Subject } from '../libraries/contract.ts';

export interface LatencySample {
  /** From the call that submits to the call of the handler, milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const WARM_UP = 10;
/** Long enough that the worker waits again. */
const PAUSE_MS = 20;

/** @param amount jobs, one after the other, each into an idle queue */
export async function measureLatency(subject: Subject, amount: number): Promise<LatencySample> {
  let onCall: () => void = () => undefined;
  await subject.work({
    concurrency: 1,
    handler: () => {
      onCall();
      return Promise.resolve();
    },
  });
  const samples: number[] = [];
  for (let i = 0; i < WARM_UP + amount; i++) {
    await delay(PAUSE_MS);
    const called = new Promise<number>((resolve) => {
      onCall = () => resolve(performance.now());
    });
    const startedAt = performance.now();
    await subject.submit(payloadOf(i));
    const tookMs = (await called) - startedAt;
    if (i >= WARM_UP) samples.push(tookMs);
  }
  return { p50: quantile(samples, 0.5), p99: quantile(samples, 0.99) };
}
