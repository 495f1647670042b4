import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { removeRedisKeys } from '../../src/testing/remove-redis-keys.js';
import type { CacheOptionsInput } from '../../src/index.js';
import { redisUrl } from '../redis-url.js';
import { until } from '../until.js';
import { CacheProcess } from './cache-process.js';

const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;

describe('caches in processes of their own', () => {
  let prefix: string;
  let processes: CacheProcess[];

  const options = (leaseMs: number): CacheOptionsInput => ({
    prefix,
    redis: { url: redisUrl(), timeoutMs: 5_000 },
    namespaces: { shared: { ttlMs: HOUR_MS, singleFlight: 'cluster', leaseMs } },
  });
  const start = async (count: number, input: CacheOptionsInput, ...preload: string[]) => {
    const started = await Promise.all(
      Array.from({ length: count }, () => CacheProcess.start(input, preload)),
    );
    processes.push(...started);
    return started;
  };
  const loads = () => processes.flatMap((it) => it.loads);

  beforeEach(() => {
    prefix = `proof-processes-${randomBytes(6).toString('hex')}`;
    processes = [];
  });
  afterEach(async () => {
    await Promise.all(processes.map((it) => it.kill()));
    await removeRedisKeys(redisUrl(), prefix);
  });

  it('loads once in 4 processes with 50 callers each', async () => {
    const four = await start(4, options(10_000));
    const answers = four.map((it) => it.call('load', 'shared', 'k', 50));
    await until(() => loads().length > 0);
    const leader = four.find((it) => it.loads.length > 0)!;
    // Every other process is seen to wait before the value comes.
    await until(async () => {
      const waits = await Promise.all(four.map((it) => it.call('leaseWaits', 'shared')));
      return waits.filter((count) => count === 1).length === 3;
    });
    await leader.call('finish', 'k', 'value');
    expect(await Promise.all(answers)).toEqual([['value'], ['value'], ['value'], ['value']]);
    expect(loads()).toHaveLength(1);
  }, 60_000);

  it('lets another take over when the holder of the lease is killed in the middle of its load', async () => {
    const [first, second] = (await start(2, options(1_000))) as [CacheProcess, CacheProcess];
    void first.call('load', 'shared', 'k', 1).catch(() => undefined);
    await until(() => first.loads.length === 1);
    const answer = second.call('load', 'shared', 'k', 50);
    await first.kill();
    await until(() => second.loads.length === 1);
    expect(second.loads[0]!.fence).toBeGreaterThan(first.loads[0]!.fence!);
    await second.call('finish', 'k', 'value');
    expect(await answer).toEqual(['value']);
  }, 60_000);

  it('refuses what the stopped holder of a lease writes when it goes on later', async () => {
    const [first, second, third] = (await start(3, options(1_000))) as [
      CacheProcess,
      CacheProcess,
      CacheProcess,
    ];
    const late = first.call('load', 'shared', 'k', 1);
    await until(() => first.loads.length === 1);
    first.signal('SIGSTOP');
    const answer = second.call('load', 'shared', 'k', 50);
    await until(() => second.loads.length === 1);
    await second.call('finish', 'k', 'new');
    expect(await answer).toEqual(['new']);
    await until(async () => (await third.call('get', 'shared', 'k')) === 'new');
    const finished = first.call('finish', 'k', 'late');
    first.signal('SIGCONT');
    await finished;
    expect(await late).toEqual(['late']);
    await until(async () => (await first.call('overtaken', 'shared')) === 1);
    const [fourth] = (await start(1, options(1_000))) as [CacheProcess];
    expect(await fourth.call('get', 'shared', 'k')).toBe('new');
    expect(await first.call('get', 'shared', 'k')).toBe('new');
  }, 60_000);

  it('keeps the lease of a load that takes several times its length', async () => {
    const [first, second] = (await start(2, options(300))) as [CacheProcess, CacheProcess];
    const answers = [first.call('load', 'shared', 'k', 1)];
    await until(() => first.loads.length === 1);
    answers.push(second.call('load', 'shared', 'k', 1));
    await until(async () => (await second.call('leaseWaits', 'shared')) === 1);
    const end = performance.now() + 1_500;
    await until(() => performance.now() > end);
    expect(second.loads).toHaveLength(0);
    await first.call('finish', 'k', 'value');
    expect(await Promise.all(answers)).toEqual([['value'], ['value']]);
    expect(second.loads).toHaveLength(0);
  }, 60_000);

  it.each([-HOUR_MS, HOUR_MS])(
    'is not moved by a wall clock that is set by %p ms',
    async (byMs) => {
      const input = { ...options(1_000), namespaces: { short: { ttlMs: 1_500 } } };
      const [moved, other] = (await start(2, input, 'wall-clock-preload.mjs')) as [
        CacheProcess,
        CacheProcess,
      ];
      await moved.call('set', 'short', 'before', 1);
      const now = (await moved.call('now')) as number;
      await moved.call('setWallClock', byMs);
      expect(Math.abs(((await moved.call('now')) as number) - now - byMs)).toBeLessThan(60_000);
      expect(await moved.call('get', 'short', 'before')).toBe(1);
      await moved.call('set', 'short', 'after', 2);
      expect(await other.call('get', 'short', 'before')).toBe(1);
      expect(await other.call('get', 'short', 'after')).toBe(2);
      for (const key of ['before', 'after']) {
        await until(async () => (await moved.call('get', 'short', key)) === undefined);
        await until(async () => (await other.call('get', 'short', key)) === undefined);
      }
      await other.call('set', 'short', 'late', 3);
      await until(async () => (await moved.call('get', 'short', 'late')) === 3);
      await other.call('invalidate', 'short', 'late');
      await until(async () => (await moved.call('get', 'short', 'late')) === undefined);
    },
    60_000,
  );

  it('stays within its bounds over a million different keys', async () => {
    const memory = { maxBytes: 32 * MIB, maxEntries: 20_000 };
    const [alone] = (await start(1, { prefix, memory })) as [CacheProcess];
    const { heap, kept } = (await alone.call('heapAfter', 1_000_000, 200)) as { heap: number; kept: number };
    expect(kept).toBeGreaterThan(10_000);
    expect(kept).toBeLessThanOrEqual(20_000);
    console.info(`a million keys left ${(heap / MIB).toFixed(1)} MiB on the heap, ${kept} entries`);
    // 20,000 entries of about 500 bytes, and the side tables; 1,000,000 would be 500 MiB.
    expect(heap).toBeLessThan(40 * MIB);
  }, 120_000);
});
