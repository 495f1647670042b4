import { quantile } from '../../harness/statistics.ts';
import { payloadOf, type Subject } from '../libraries/contract.ts';

export interface CountsSample {
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const PER_CALL = 1_000;
const QUESTIONS = 200;

/** @param amount jobs in the store */
export async function measureCounts(subject: Subject, amount: number): Promise<CountsSample> {
  const payloads = Array.from({ length: PER_CALL }, (_, number) => payloadOf(number));
  for (let count = 0; count < amount; count += PER_CALL) await subject.submitMany(payloads);
  const samples: number[] = [];
  for (let i = 0; i < QUESTIONS; i++) {
    const startedAt = performance.now();
    await subject.counts?.();
    samples.push(performance.now() - startedAt);
  }
  return { p50: quantile(samples, 0.5), p99: quantile(samples, 0.99) };
}
