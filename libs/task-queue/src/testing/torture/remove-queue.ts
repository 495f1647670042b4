import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { createBackend } from '../../backend/create-backend.js';
import { parseTaskQueueOptions, type TaskQueueOptionsInput } from '../../task-queue.options.js';
import { ThrottledLog } from '../../throttled-log.js';

const KEYS_PER_CALL = 1_000;

/** Removes a queue with all that is in it, whatever state that is in. */
export async function removeQueue(backend: TaskQueueOptionsInput['backend'], prefix: string): Promise<void> {
  const options = parseTaskQueueOptions({ backend, prefix, tasks: [] });
  const driver = createBackend(options, new ThrottledLog(new Logger('torture')));
  if (!driver) return;
  try {
    await (await driver.queue()).obliterate({ force: true });
  } finally {
    await driver.close();
  }
  if (backend.type === 'redis') await removeKeys(backend.url, prefix);
}

/** What this library keeps beside BullMQ. */
async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  try {
    for await (const keys of redis.scanStream({ match: `{${prefix}}*`, count: KEYS_PER_CALL })) {
      if ((keys as string[]).length > 0) await redis.unlink(keys as string[]);
    }
  } finally {
    redis.disconnect();
  }
}
