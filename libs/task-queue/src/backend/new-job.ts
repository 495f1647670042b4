import { type JobsOptions } from 'bullmq';
import { type StoredPayload } from '../definition/task-payload.js';
import { type StoreJobInput } from './queue-backend.js';

/** A job on its way into the store, everything decided. */
export interface NewJob {
  readonly id: string;
  readonly name: string;
  readonly data: StoredPayload;
  /** What all jobs of a kind share: one object for all of them, whose text is written once. */
  readonly settings: Readonly<JobsOptions>;
  /** Lower goes first; above 0. */
  readonly number: number;
  readonly delayMs: number;
  /** Epoch milliseconds. */
  readonly submittedAtMs: number;
  readonly deduplication?: { readonly id: string; readonly ttl?: number };
}

/** As BullMQ takes it. */
export function toBullJob({ id, name, data, settings, ...job }: NewJob): StoreJobInput {
  const { number, delayMs, submittedAtMs, deduplication } = job;
  const opts: JobsOptions = {
    ...settings,
    jobId: id,
    priority: number,
    delay: delayMs,
    timestamp: submittedAtMs,
    ...(deduplication && { deduplication: { ...deduplication } }),
  };
  return { name, data, opts };
}

const texts = new WeakMap<Readonly<JobsOptions>, string>();

/** As JSON. */
export function settingsText(settings: Readonly<JobsOptions>): string {
  const known = texts.get(settings);
  if (known !== undefined) return known;
  const text = JSON.stringify(settings);
  texts.set(settings, text);
  return text;
}
