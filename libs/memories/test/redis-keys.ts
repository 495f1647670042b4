import { Redis } from 'ioredis';

/** Removes the keys whose names contain `part`. */
export async function removeRedisKeys(redisUrl: string, part: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    for await (const keys of redis.scanStream({ match: `*${part}*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) await redis.unlink(keys as string[]);
    }
  } finally {
    redis.disconnect();
  }
}
