import { defineTask } from '@peregrine/task-queue';
import { z } from 'zod';

/** A day: dead letters that are redriven slowly take their time. */
const TIMEOUT_MS = 86_400_000;

export const ATTEMPTS = 5;

const time = z.iso.datetime();

/** As `DeadLetterSelection`, with times as JSON has them. */
const selection = z.union([
  z.strictObject({ task: z.string(), ids: z.array(z.string()) }),
  z.strictObject({
    task: z.string().optional(),
    fingerprint: z.string().optional(),
    error: z.string().optional(),
    failedSince: time.optional(),
    // What fails again while this runs, or before it is run again, is not to be taken twice.
    failedBefore: time,
  }),
]);

/** Whoever is to find it in the audit: who asked for it, by which request, and what the audit calls it. */
const asked = z.strictObject({
  actor: z.strictObject({ id: z.uuid(), name: z.string() }),
  requestId: z.string(),
  subject: z.string(),
});
/** Who asked for dead letters to be redriven or removed. */
export type AskedBy = z.output<typeof asked>;

/** Puts dead letters back to work, more of them than a caller would wait for. */
export const redriveDeadLetters = defineTask({
  name: 'dead-letters.redrive',
  payload: z.strictObject({
    selection,
    ratePerSecond: z.number().positive().optional(),
    asked: asked.optional(),
  }),
  priority: 'HIGH',
  attempts: ATTEMPTS,
  timeoutMs: TIMEOUT_MS,
});

/** Removes dead letters for good. */
export const purgeDeadLetters = defineTask({
  name: 'dead-letters.purge',
  payload: z.strictObject({ selection, asked: asked.optional() }),
  priority: 'HIGH',
  attempts: ATTEMPTS,
  timeoutMs: TIMEOUT_MS,
});

/** What operators have done in the background. */
export const deadLetterTasks = [redriveDeadLetters, purgeDeadLetters] as const;
