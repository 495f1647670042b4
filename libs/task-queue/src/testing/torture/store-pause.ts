import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type CuttableProxy } from '../cuttable-proxy.js';

/** Takes the store away for a while. */
export interface StorePause {
  /** Always gives it back; earlier, when the signal aborts and that is possible. */
  for(ms: number, signal: AbortSignal): Promise<void>;
}

/** @param url of Redis itself, for `client-pause` */
export function createStorePause(
  by: 'freeze' | 'cut' | 'client-pause' | { readonly pid: number },
  proxy: CuttableProxy,
  url: string,
): StorePause {
  if (by === 'client-pause') return { for: (ms) => pauseClients(url, ms) };
  if (by === 'freeze')
    return between(
      () => proxy.block(),
      () => proxy.unblock(),
    );
  if (by === 'cut')
    return between(
      () => proxy.cut(),
      () => proxy.open(),
    );
  return between(
    () => process.kill(by.pid, 'SIGSTOP'),
    () => process.kill(by.pid, 'SIGCONT'),
  );
}

function between(begin: () => unknown, end: () => unknown): StorePause {
  return {
    for: async (ms, signal) => {
      await begin();
      // Ends early when there is enough.
      await sleep(ms, undefined, { signal }).catch(() => undefined);
      await end();
    },
  };
}

/** The server ends it by itself; it would not even listen to CLIENT UNPAUSE. */
async function pauseClients(url: string, ms: number): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.call('CLIENT', 'PAUSE', String(ms), 'ALL');
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
