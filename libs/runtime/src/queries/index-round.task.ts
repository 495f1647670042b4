import { defineTask } from '@peregrine/task-queue';
import { z } from 'zod';

/** Builds of large indexes take their time. */
const TIMEOUT_MS = 6 * 3_600_000;

/** One round of adaptive indexing. Nobody waits for it, and what one leaves undone the next one does. */
export const runIndexRound = defineTask({
  name: 'query-optimizer.index-round',
  payload: z.strictObject({}),
  priority: 'BATCH',
  attempts: 1,
  timeoutMs: TIMEOUT_MS,
});

export const indexAdvisorTasks = [runIndexRound] as const;
