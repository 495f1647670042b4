import { defineTask } from '@peregrine/task-queue';
import { z } from 'zod';

const payload = z.strictObject({
  workspaceId: z.uuid(),
  memoryIds: z.array(z.uuid()).min(1).max(1_000),
});

/** Computes the embeddings of new memories; those of many adds in one call. */
export const embedMemories = defineTask({
  name: 'memories.embed',
  payload,
  priority: 'NORMAL',
  attempts: 6,
  backoff: { type: 'exponential', delayMs: 1_000, jitter: 0.5 },
  timeoutMs: 120_000,
  batch: { size: 32, maxWaitMs: 50 },
});

/** Merges what says the same as another memory, reversibly. */
export const consolidateMemories = defineTask({
  name: 'memories.consolidate',
  payload,
  priority: 'LOW',
  attempts: 4,
  backoff: { type: 'exponential', delayMs: 2_000, jitter: 0.5 },
  timeoutMs: 300_000,
});

/** What a process that works with memories may submit. */
export const memoryTasks = [embedMemories, consolidateMemories] as const;
