import { type ProtectionOptions } from './protection/protection.module.js';
import { type Settings } from './settings.js';

const MINUTE_SECONDS = 60;

/** Limits of the api from the settings. */
export function protectionOptions({ protection, redis, database, queue }: Settings): ProtectionOptions {
  const { keyPerSecond, keyBurst, addressPerSecond, addressBurst, failuresPerMinute } = protection;
  return {
    policies: {
      key: { name: 'key', ratePerSecond: keyPerSecond, burst: keyBurst },
      address: { name: 'address', ratePerSecond: addressPerSecond, burst: addressBurst },
      failures: {
        name: 'failures',
        ratePerSecond: failuresPerMinute / MINUTE_SECONDS,
        burst: failuresPerMinute,
      },
    },
    store: redis.url ? { type: 'redis', url: redis.url } : { type: 'postgres', url: database.url },
    storePrefix: queue.prefix,
    storeTimeoutMs: protection.storeTimeoutMs,
    concurrency: {
      min: protection.concurrencyMin,
      max: protection.concurrencyMax,
      maxWaitMs: protection.queueWaitMs,
    },
  };
}
