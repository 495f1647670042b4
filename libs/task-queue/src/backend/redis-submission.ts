import { createHash } from 'node:crypto';
import { type Redis } from 'ioredis';
import { type NewJob, settingsText } from './new-job.js';

/**
 * Adds jobs that may start now and have no deduplication key, in one atomic step. The same keys and fields as BullMQ's
 * `addPrioritizedJob`, without entries in its stream of events, which nobody reads here, and without what is the same
 * for each job of a call. A job whose id is taken is left as it is. The options have neither id nor priority in them:
 * those lie beside them.
 *
 * KEYS: marker, meta, prioritized, pc, active
 * ARGV: prefix of the queue's keys, then for each job: id, name, data, options, timestamp, priority
 */
const ADD = `
local count = (#ARGV - 1) / 6
local counter = redis.call('INCRBY', KEYS[4], count) - count
local isAdded = false
for index = 2, #ARGV, 6 do
  local id, priority = ARGV[index], tonumber(ARGV[index + 5])
  local job = ARGV[1] .. id
  counter = counter + 1
  if redis.call('EXISTS', job) == 0 then
    redis.call('HSET', job, 'name', ARGV[index + 1], 'data', ARGV[index + 2], 'opts', ARGV[index + 3],
      'timestamp', ARGV[index + 4], 'delay', 0, 'priority', ARGV[index + 5])
    redis.call('ZADD', KEYS[3], priority * 4294967296 + counter % 4294967296, id)
    isAdded = true
  end
end
if not isAdded then return end
local meta = redis.call('HMGET', KEYS[2], 'paused', 'concurrency')
if meta[1] or meta[2] and redis.call('LLEN', KEYS[5]) >= tonumber(meta[2]) then return end
redis.call('ZADD', KEYS[1], 0, '0')
`;
const ADD_SHA = createHash('sha1').update(ADD).digest('hex');

/** Whether `addPlainJobs` can add it. */
export function isPlain({ delayMs, deduplication }: NewJob): boolean {
  return delayMs === 0 && deduplication === undefined;
}

/** One round trip. @param keyPrefix what every key of the queue begins with @throws the driver's error */
export async function addPlainJobs(client: Redis, keyPrefix: string, jobs: readonly NewJob[]): Promise<void> {
  const keys = ['marker', 'meta', 'prioritized', 'pc', 'active'].map((it) => keyPrefix + it);
  const values: (string | number)[] = [keyPrefix];
  for (const { id, name, data, settings, submittedAtMs, number } of jobs) {
    values.push(id, name, JSON.stringify(data), settingsText(settings), submittedAtMs, number);
  }
  // Parts of one submission follow each other without waiting: only by its text none of them has to be sent again.
  if (jobs.length > 1) await client.eval(ADD, keys.length, ...keys, ...values);
  else await addOne(client, keys, values);
}

async function addOne(
  client: Redis,
  keys: readonly string[],
  values: readonly (string | number)[],
): Promise<void> {
  try {
    await client.evalsha(ADD_SHA, keys.length, ...keys, ...values);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    await client.eval(ADD, keys.length, ...keys, ...values);
  }
}
