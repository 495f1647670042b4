import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

import { BenchInvalidMeasurementError } from '../../bench.errors.ts';
import type { Subject } from '../libraries/contract.ts';

const TIMEOUT_MS = 10_000;
const LOOKS = 5;
const LOOK_MS = 10;

/**
 * Libraries connect in the background: they are connected when what they set is in Redis.
 *
 * @throws {BenchInvalidMeasurementError} when nothing arrives in ten seconds
 */
export async function whenConnected(subject: Subject, redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    const deadline = performance.now() + TIMEOUT_MS;
    for (let attempt = 0; performance.now() < deadline; attempt++) {
      const key = `canary:${process.pid}:${attempt}:${Math.round(performance.now())}`;
      await subject.set(key, { id: key }, [key, key, key]);
      for (let look = 0; look < LOOKS; look++) {
        const found = await redis.eval("return #redis.call('KEYS', ARGV[1])", 0, `*${key}*`);
        if (Number(found) > 0) return;
        await delay(LOOK_MS);
      }
    }
  } finally {
    redis.disconnect();
  }
  throw new BenchInvalidMeasurementError(`nothing arrived in Redis in ${TIMEOUT_MS} ms`);
}
