import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import {
  createRateLimiter,
  type CreateRateLimiterOptions,
  InvalidRateLimitError,
  InvalidTaskQueueOptionsError,
  QueueUnavailableError,
  RateLimitedError,
  type RateLimiter,
} from '../src/index.js';
import { SWEEP } from '../src/limits/postgres-bucket-statements.js';
import { type BucketState, giveBack, take } from '../src/limits/token-bucket.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { until } from './probe-app.js';
import { postgresStore, redisStore } from './stores.js';

jest.setTimeout(60_000);

/** A kind of store, and how many buckets it keeps once it has forgotten what it may. */
interface Kind {
  readonly open: () => Promise<ContractStore>;
  readonly kept: (store: ContractStore) => Promise<number>;
}

const kinds: readonly (readonly [string, Kind])[] = [
  ['Redis', { open: redisStore, kept: keptInRedis }],
  ['PostgreSQL', { open: postgresStore, kept: keptInPostgres }],
];

const SLOW = { ratePerSecond: 0.001, burst: 3 };
const unique = () => `limit-${randomBytes(6).toString('hex')}`;

describe.each(kinds)('a rate limiter on %s', (_name, { open, kept }) => {
  let store: ContractStore;
  let limiter: RateLimiter;

  beforeAll(async () => {
    store = await open();
    limiter = createRateLimiter({ backend: store.backend, prefix: store.prefix });
  });

  afterAll(async () => {
    await limiter.close();
    await store.remove();
  });

  it('answers as the model does, at the times that the store tells', async () => {
    for (let round = 0; round < 20; round++) {
      const name = unique();
      const limit = { ratePerSecond: 1 + Math.random() * 500, burst: 1 + Math.floor(Math.random() * 5) };
      let state: BucketState | undefined;
      const slots: number[] = [0, 0, 0];
      for (let step = 0; step < 40; step++) {
        const cost = 1 + Math.floor(Math.random() * limit.burst);
        const slotUs = slots.splice(Math.floor(Math.random() * slots.length), 1)[0] ?? 0;
        const maxWaitMs = Math.random() < 0.3 ? 0 : 1_000_000;
        const answer = await limiter.take(name, { ...limit, cost }, slotUs, maxWaitMs);
        const request = { ...limit, cost, slotUs, maxWaitUs: maxWaitMs * 1_000 };
        const model = take(state, request, answer.nowUs);
        expect(answer).toEqual(model.answer);
        state = model.state;
        slots.push(0, answer.granted || maxWaitMs === 0 ? 0 : answer.slotUs);
      }
      expect(giveBack(state!, 1).promised).toBeGreaterThanOrEqual(state!.taken);
    }
  });

  it('lets a burst pass and says when to come back, each key by itself', async () => {
    const name = unique();
    const ask = (key?: string) => limiter.tryAcquire(name, { ...SLOW, key });
    expect(await ask('a')).toEqual({ allowed: true, retryAfterMs: 0, remaining: 2 });
    expect(await limiter.tryAcquire(name, { ...SLOW, key: 'a', cost: 2 })).toMatchObject({ remaining: 0 });
    const denied = await ask('a');
    expect(denied).toMatchObject({ allowed: false, remaining: 0 });
    expect(denied.retryAfterMs).toBeGreaterThan(900_000);
    expect(denied.retryAfterMs).toBeLessThanOrEqual(1_000_000);
    expect(await ask('b')).toMatchObject({ allowed: true });
    expect(await ask()).toMatchObject({ allowed: true });
  });

  it('waits for tokens, also across limiters', async () => {
    const name = unique();
    const other = createRateLimiter({ backend: store.backend, prefix: store.prefix });
    const limit = { ratePerSecond: 100, burst: 2 };
    await limiter.acquire(name, { ...limit, cost: 2 });
    const grants = [];
    for (let index = 0; index < 6; index++) {
      const by = index % 2 === 0 ? limiter : other;
      const waiting = await waitFor(by, name, limit);
      grants.push(waiting.granted);
    }
    const times = (await Promise.all(grants)).map((it) => it.grantedAtMs).sort((a, b) => a - b);
    for (let index = 2; index < times.length; index++) {
      expect(times[index]! - times[index - 2]!).toBeGreaterThanOrEqual(9.99);
    }
    await other.close();
  });

  it('does not wait longer than allowed, and takes nothing then', async () => {
    const name = unique();
    await limiter.acquire(name, { ...SLOW, cost: 3 });
    const refused = limiter.acquire(name, { ...SLOW, maxWaitMs: 10_000 });
    await expect(refused).rejects.toThrow(RateLimitedError);
    await expect(refused).rejects.toMatchObject({ code: 'TASK_QUEUE_RATE_LIMITED' });
    const { retryAfterMs } = await limiter.tryAcquire(name, SLOW);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000_000);
  });

  it('gives the slot back when the caller no longer waits', async () => {
    const name = unique();
    await limiter.acquire(name, { ...SLOW, cost: 3 });
    const stop = new AbortController();
    const waiting = limiter.acquire(name, { ...SLOW, signal: stop.signal });
    const retryAfter = async () => (await limiter.tryAcquire(name, SLOW)).retryAfterMs;
    await until(async () => (await retryAfter()) > 1_500_000);
    stop.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    expect(await retryAfter()).toBeLessThanOrEqual(1_000_000);
    await expect(limiter.acquire(name, { signal: stop.signal })).rejects.toThrow('left');
  });

  it('pauses one key for as long as an upstream asks, also for those who wait', async () => {
    const name = unique();
    const limit = { ratePerSecond: 50, burst: 1, key: 'slow' };
    const { grantedAtMs } = await limiter.acquire(name, limit);
    const waiting = await waitFor(limiter, name, limit);
    await limiter.penalize(name, 'slow', 400);
    await limiter.penalize(name, 'slow', 100);
    expect(await limiter.tryAcquire(name, { ...limit, key: 'other' })).toMatchObject({ allowed: true });
    const denied = await limiter.tryAcquire(name, limit);
    expect(denied).toMatchObject({ allowed: false, remaining: 0 });
    expect((await waiting.granted).grantedAtMs - grantedAtMs).toBeGreaterThanOrEqual(400);
  });

  it('refuses numbers and names that make no sense, and takes nothing', async () => {
    const wrong = [
      { cost: 1.5 },
      { cost: -1 },
      { cost: 0 },
      { cost: 201 },
      { burst: 0 },
      { burst: Infinity },
      { ratePerSecond: 0 },
      { ratePerSecond: NaN },
      { key: '' },
    ];
    for (const numbers of wrong) {
      await expect(limiter.tryAcquire('wrong', numbers)).rejects.toThrow(InvalidRateLimitError);
      await expect(limiter.acquire('wrong', numbers)).rejects.toMatchObject({
        code: 'TASK_QUEUE_INVALID_RATE_LIMIT',
      });
    }
    await expect(limiter.acquire('wrong', { maxWaitMs: 0.5 })).rejects.toThrow(InvalidRateLimitError);
    await expect(limiter.tryAcquire('a:b')).rejects.toThrow(InvalidRateLimitError);
    for (const ms of [-1, NaN, Infinity]) {
      await expect(limiter.penalize('wrong', undefined, ms)).rejects.toThrow(InvalidRateLimitError);
    }
    expect(await limiter.tryAcquire('wrong')).toMatchObject({ allowed: true, remaining: 199 });
    expect(await limiter.tryAcquire('odd', { key: '\0 }{ \uD800 :' })).toMatchObject({ allowed: true });
  });

  it('forgets buckets that are full again', async () => {
    const apart = { ...store, prefix: `${store.prefix}.apart` };
    const own = createRateLimiter({ backend: store.backend, prefix: apart.prefix });
    const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`);
    await Promise.all(keys.map((key) => own.tryAcquire('many', { key, ratePerSecond: 1_000 })));
    await own.penalize('many', 'paused', 300);
    await own.penalize('many', 'key 1', 300);
    await own.tryAcquire('many', { key: 'kept', ...SLOW });
    await until(async () => (await kept(apart)) === 1);
    expect(await own.tryAcquire('many', { key: 'kept', ...SLOW })).toMatchObject({ remaining: 1 });
    await own.close();
  });
});

describe('a rate limiter', () => {
  it('fails in time when its store is not there', async () => {
    const shared = { operationTimeoutMs: 500 };
    const redis = createRateLimiter({ backend: { type: 'redis', url: 'redis://127.0.0.1:1' }, ...shared });
    const postgres = createRateLimiter({
      backend: { type: 'postgres', url: 'postgres://nobody@127.0.0.1:1/none' },
      ...shared,
    });
    for (const limiter of [redis, postgres]) {
      await expect(limiter.acquire('any')).rejects.toThrow(QueueUnavailableError);
      await expect(limiter.penalize('any', undefined, 1)).rejects.toThrow(QueueUnavailableError);
      await limiter.close();
    }
  });

  it('holds within a process without a store', async () => {
    const limiter = createRateLimiter({ backend: { type: 'memory' } });
    expect(await limiter.tryAcquire('here', { ...SLOW, cost: 3 })).toMatchObject({
      allowed: true,
      remaining: 0,
    });
    expect(await limiter.tryAcquire('here', SLOW)).toMatchObject({ allowed: false });
    await limiter.penalize('there', 'k', 60_000);
    const { retryAfterMs } = await limiter.tryAcquire('there', { key: 'k' });
    expect(retryAfterMs).toBeGreaterThan(50_000);
    await limiter.close();
  });

  it('says what is wrong with its options', () => {
    const wrong = { backend: { type: 'redis', url: 'nonsense' } } satisfies CreateRateLimiterOptions;
    expect(() => createRateLimiter(wrong)).toThrow(InvalidTaskQueueOptionsError);
  });
});

/** Begins to wait, and answers when its place is certain. */
async function waitFor(
  limiter: RateLimiter,
  name: string,
  limit: { readonly ratePerSecond: number; readonly burst: number },
): Promise<{ granted: ReturnType<RateLimiter['acquire']> }> {
  const asked = jest.spyOn(limiter, 'take');
  const granted = limiter.acquire(name, limit);
  await asked.mock.results[0]?.value;
  asked.mockRestore();
  return { granted };
}

async function keptInRedis(store: ContractStore): Promise<number> {
  const redis = new Redis(store.backend.url);
  const keys = await redis.keys(`{${store.prefix}}:limits:*`);
  await redis.quit();
  return keys.length;
}

async function keptInPostgres(store: ContractStore): Promise<number> {
  const client = new pg.Client({ connectionString: store.backend.url, options: '-c search_path=bullmq' });
  await client.connect();
  await client.query(SWEEP);
  const { rows } = await client.query<{ kept: number }>(
    'SELECT count(*)::int AS kept FROM peregrine_rate_bucket WHERE starts_with(bucket, $1)',
    [`${store.prefix}/`],
  );
  await client.end();
  return rows[0]?.kept ?? 0;
}
