import { defineTask } from '@peregrine/task-queue';
import { z } from 'zod';

/** Sends what is pending for one provider. The purges are rows: losing this task loses time, and no purge. */
export const deliverPurges = defineTask({
  name: 'cdn.deliver-purges',
  payload: z.strictObject({ provider: z.string() }),
  priority: 'HIGH',
  attempts: 3,
  timeoutMs: 600_000,
});

export const cdnTasks = [deliverPurges] as const;
