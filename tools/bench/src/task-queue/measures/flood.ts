import { setTimeout as delay } from 'node:timers/promises';

import { CLASSES, payloadOf, type PriorityClass, type Subject } from '../libraries/contract.ts';

/** Of each class. */
export interface FloodSample {
  /** Jobs that began, of those of the lower classes that waited when the flood began. */
  readonly begun: Readonly<Record<PriorityClass, number>>;
  /** Longest wait of one that began, milliseconds; 0 when none did. */
  readonly worstMs: Readonly<Record<PriorityClass, number>>;
}

const CONCURRENCY = 2;
const HANDLER_MS = 2;
export const LOWER = 20;
/** CRITICAL jobs that wait at any time. */
const BACKLOG = 100;
const REFILL = 25;

/** @param seconds of a flood of CRITICAL jobs that two handler calls at once cannot keep up with */
export async function measureFlood(subject: Subject, seconds: number): Promise<FloodSample> {
  const flood = new Flood(subject);
  for (const priority of CLASSES.slice(1)) await flood.submit(priority, LOWER);
  await flood.submit('CRITICAL', BACKLOG);
  await subject.work({ concurrency: CONCURRENCY, handler: ({ number }) => flood.run(number) });
  const endsAt = performance.now() + 1_000 * seconds;
  while (performance.now() < endsAt) {
    if (flood.waiting < BACKLOG) await flood.submit('CRITICAL', REFILL);
    else await delay(HANDLER_MS);
  }
  return { begun: flood.begun, worstMs: flood.worstMs };
}

class Flood {
  readonly begun: Record<PriorityClass, number> = zeros();
  readonly worstMs: Record<PriorityClass, number> = zeros();
  readonly #subject: Subject;
  readonly #submitted: { readonly priority: PriorityClass; readonly at: number }[] = [];
  #criticals = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** CRITICAL jobs. */
  get waiting(): number {
    return this.#criticals - this.begun.CRITICAL;
  }

  async submit(priority: PriorityClass, count: number): Promise<void> {
    if (!this.#subject.submitOfClass) throw new Error('a library without classes');
    const submitted: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) {
      const number = this.#submitted.push({ priority, at: performance.now() }) - 1;
      submitted.push(this.#subject.submitOfClass(payloadOf(number), priority));
    }
    if (priority === 'CRITICAL') this.#criticals += count;
    await Promise.all(submitted);
  }

  async run(number: number): Promise<void> {
    const job = this.#submitted[number];
    if (!job) throw new Error(`nobody submitted ${number}`);
    this.begun[job.priority]++;
    this.worstMs[job.priority] = Math.max(this.worstMs[job.priority], performance.now() - job.at);
    await delay(HANDLER_MS);
  }
}

function zeros(): Record<PriorityClass, number> {
  return { CRITICAL: 0, HIGH: 0, NORMAL: 0, LOW: 0, BATCH: 0 };
}
