import { defineTask } from '@peregrine/task-queue';
import { z } from 'zod';

/** Codes of one batch at most. */
export const MAX_BATCH_ANALYSES = 500;

/** One code of a batch. */
export const batchItemSchema = z.strictObject({
  /** The caller's own name of it, given back with the result. */
  name: z.string().min(1).max(1_024),
  code: z.string(),
  language: z.string().min(1).max(50),
  rules: z.array(z.string().max(100)).max(200).default([]),
});

/** Analyses many codes in the background. What is cached is not made anew, so doing it again costs little. */
export const analyseBatch = defineTask({
  name: 'ai.analyse-batch',
  payload: z.strictObject({
    tenant: z.string().min(1).max(200),
    items: z.array(batchItemSchema).min(1).max(MAX_BATCH_ANALYSES),
  }),
  priority: 'BATCH',
  attempts: 3,
  backoff: { type: 'exponential', delayMs: 2_000, jitter: 0.5 },
  timeoutMs: 1_800_000,
});

/** What a process that works with AI results may submit. */
export const aiTasks = [analyseBatch] as const;
