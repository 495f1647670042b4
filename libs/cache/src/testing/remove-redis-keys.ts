import { createRedisClient } from '../redis/redis-client.js';

/** Removes what a test has left in a Redis that it shares with others: the keys whose names contain `part`. */
export async function removeRedisKeys(url: string, part: string): Promise<void> {
  const redis = createRedisClient({ url });
  await redis.connect();
  try {
    for await (const key of redis.scanIterator({ MATCH: `*${part}*`, COUNT: 1_000 })) await redis.unlink(key);
  } finally {
    await redis.disconnect();
  }
}
