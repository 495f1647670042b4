import { setTimeout as delay } from 'node:timers/promises';

import { payloadOf, type Subject } from '../libraries/contract.ts';

export interface ProcessingSample {
  /** Jobs a second with ten handler calls at once that do nothing. */
  readonly jobs: number;
  /** CPU of this process for one, microseconds. */
  readonly cpu: number;
}

export interface BatchesSample {
  /** Jobs a second, where every call of the handler takes 5 ms and there is one at a time. */
  readonly oneByOne: number;
  readonly batched: number;
  readonly ratio: number;
}

const CONCURRENCY = 10;
const PER_CALL = 1_000;
/** Share of the jobs that only warm up. */
const WARM_UP = 0.2;
export const BATCH_SIZE = 100;
export const HANDLER_MS = 5;

/** @param amount jobs that wait when the worker starts */
export async function measureProcessing(subject: Subject, amount: number): Promise<ProcessingSample> {
  await fill(subject, amount);
  const meter = new Meter(amount);
  await subject.work({
    concurrency: CONCURRENCY,
    handler: () => {
      meter.add(1);
      return Promise.resolve();
    },
  });
  return meter.result;
}

/** @param amount jobs in batches; a twentieth of it one by one */
export async function measureBatches(subject: Subject, amount: number): Promise<BatchesSample> {
  if (!subject.workBatches) throw new Error('a library without batches');
  const singles = Math.ceil(amount / 20);
  // One worker after the other, on one queue: the batches come last, and take what is left.
  await fill(subject, singles + amount);
  const single = new Meter(singles);
  await subject.work({
    concurrency: 1,
    handler: async () => {
      await delay(single.isDone ? 2_000_000_000 : HANDLER_MS);
      single.add(1);
    },
  });
  const oneByOne = (await single.result).jobs;
  const batch = new Meter(amount - 2 * BATCH_SIZE);
  await subject.workBatches(BATCH_SIZE, async (payloads) => {
    await delay(HANDLER_MS);
    batch.add(payloads.length);
  });
  const batched = (await batch.result).jobs;
  return { oneByOne, batched, ratio: batched / oneByOne };
}

async function fill(subject: Subject, amount: number): Promise<void> {
  for (let from = 0; from < amount; from += PER_CALL) {
    const length = Math.min(PER_CALL, amount - from);
    await subject.submitMany(Array.from({ length }, (_, i) => payloadOf(from + i)));
  }
}

/** Measures from the end of the warm-up to the last job. */
class Meter {
  readonly result: Promise<ProcessingSample>;
  readonly #amount: number;
  readonly #resolve: (sample: ProcessingSample) => void;
  #count = 0;
  #start: { readonly at: number; readonly count: number; readonly cpu: NodeJS.CpuUsage } | undefined;

  constructor(amount: number) {
    const { promise, resolve } = Promise.withResolvers<ProcessingSample>();
    this.#amount = amount;
    this.result = promise;
    this.#resolve = resolve;
  }

  get isDone(): boolean {
    return this.#count >= this.#amount;
  }

  add(count: number): void {
    this.#count += count;
    if (this.#count >= WARM_UP * this.#amount) {
      this.#start ??= { at: performance.now(), count: this.#count, cpu: process.cpuUsage() };
    }
    if (this.isDone && this.#start) {
      const jobs = this.#count - this.#start.count;
      const { user, system } = process.cpuUsage(this.#start.cpu);
      this.#resolve({
        jobs: (1_000 * jobs) / (performance.now() - this.#start.at),
        cpu: (user + system) / jobs,
      });
    }
  }
}
