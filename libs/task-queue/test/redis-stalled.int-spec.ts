import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { type ContractStore } from './contract/task-queue-contract.js';
import { type ProbeApp, serviceUrl, startProbeApp, until } from './probe-app.js';
import { redisStore } from './stores.js';

jest.setTimeout(60_000);

describe('the search for stalled tasks on Redis', () => {
  const redis = new Redis(serviceUrl('REDIS_URL'));
  let store: ContractStore;
  let app: ProbeApp;
  const key = (type: string) => `{${store.prefix}}:tasks:${type}`;

  beforeAll(async () => {
    store = await redisStore();
    const worker = { concurrency: 1, lockDurationMs: 20_000, stalledIntervalMs: 50 };
    app = await startProbeApp({ backend: store.backend, prefix: store.prefix, worker });
  });

  afterAll(async () => {
    await app.app.close();
    await store.remove();
    await redis.quit();
  });

  it('drops a task that has lost its data, which nobody could run', async () => {
    await redis.lpush(key('active'), 'probe.single/ghost');
    await until(async () => (await redis.llen(key('active'))) === 0);
    expect(await redis.llen(key('wait'))).toBe(0);
    expect(await redis.exists(key('probe.single/ghost'))).toBe(0);
    expect(await app.queue.stats()).toMatchObject({ pending: 0, running: 0, deadLettered: 0 });
  });

  it('ends what an older version has left to be failed by the next claim', async () => {
    await app.queue.pause();
    const id = 'probe.single/left';
    const data = JSON.stringify({ version: 1, schema: 1, priority: 'HIGH', payload: '{"key":"left"}' });
    const job = {
      name: 'probe.single',
      data,
      opts: '{"attempts":3}',
      timestamp: Date.now(),
      priority: 5,
      stc: 2,
    };
    await redis.hset(key(id), { ...job, defa: 'job stalled more than allowable limit', pb: 'elsewhere:1' });
    await redis.rpush(key('wait'), id);
    await until(async () => (await app.queue.stats()).deadLettered === 1);
    expect(await app.queue.deadLetters.inspect('probe.single', 'left')).toMatchObject({
      error: 'Too many workers died or lost it: 2, the last was elsewhere:1',
      reason: 'stalled',
      priority: 'HIGH',
    });
    await app.queue.resume();
  });
});
