import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { z } from 'zod';
import {
  createTaskQueue,
  defineTask,
  RateLimiter,
  retryAfter,
  type StandaloneTaskQueue,
  TaskFailedError,
  TaskQueueModule,
  type TaskHandlerInput,
} from '../src/index.js';
import { type TakeAnswer } from '../src/limits/token-bucket.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { until } from './probe-app.js';
import { postgresStore, redisStore } from './stores.js';
import { buildLibrary } from './worker-process.js';

jest.setTimeout(120_000);

const run = promisify(execFile);
const stores = [
  ['Redis', redisStore],
  ['PostgreSQL', postgresStore],
] as const;
const realTake = RateLimiter.prototype.take;
const WAIT = { timeoutMs: 60_000 };

const payload = z.strictObject({ host: z.string(), cost: z.number().default(1) });
const quick = { type: 'fixed', delayMs: 1, jitter: 0 } as const;
const limited = defineTask({
  name: 'limits.fetch',
  payload,
  backoff: quick,
  rateLimit: {
    ratePerSecond: 50,
    burst: 10,
    key: ({ host }) => host,
    cost: ({ cost }) => cost,
    pauseOnRetryAfter: true,
  },
});
const whole = defineTask({
  name: 'limits.whole',
  payload,
  backoff: quick,
  rateLimit: { ratePerSecond: 0.001, burst: 2 },
});
const free = defineTask({ name: 'limits.free', payload });

interface Grant {
  readonly atMs: number;
  readonly tokens: number;
}

/** Tokens above the bound in the fullest window. */
function excess(
  grants: readonly Grant[],
  { ratePerSecond, burst }: { ratePerSecond: number; burst: number },
): number {
  const ordered = grants.toSorted((a, b) => a.atMs - b.atMs);
  let worst = -Infinity;
  for (const [first, { atMs: fromMs }] of ordered.entries()) {
    let tokens = 0;
    for (const it of ordered.slice(first)) {
      tokens += it.tokens;
      worst = Math.max(worst, tokens - burst - ((it.atMs - fromMs) / 1_000) * ratePerSecond);
    }
  }
  return worst;
}

describe.each(stores)('three processes with one limit on %s', (_name, open) => {
  beforeAll(buildLibrary, 120_000);

  it('get no more than its bound in any window, by the clock of the store, and leave other keys alone', async () => {
    const store = await open();
    const limit = { key: 'busy', ratePerSecond: 200, burst: 40 };
    const other = { key: 'other', ratePerSecond: 1_000, burst: 200 };
    const settings = { backend: store.backend, prefix: store.prefix, limit, other, count: 150 };
    const fixture = fileURLToPath(new URL('fixtures/limits-caller.mjs', import.meta.url));
    const env = { ...process.env, NODE_OPTIONS: '' };
    const processes = [1, 2, 3].map(() =>
      run(process.execPath, [fixture, JSON.stringify(settings)], { env }),
    );
    const outputs = (await Promise.all(processes)).map(
      ({ stdout }) => JSON.parse(stdout) as { waits: number[]; grants: number[] },
    );
    const grants = outputs.flatMap((it) => it.grants).map((atMs) => ({ atMs, tokens: 1 }));
    expect(grants).toHaveLength(450);
    expect(excess(grants, limit)).toBeLessThanOrEqual(0.001);
    expect(outputs.flatMap((it) => it.waits).every((it) => it === 0)).toBe(true);
    await store.remove();
  });
});

describe.each(stores)('limited tasks on %s', (_name, open) => {
  let store: ContractStore;
  const queues: StandaloneTaskQueue[] = [];
  const grants: (Grant & { host: string | undefined })[] = [];
  let asked = 0;

  const start = async (handler: TaskHandlerInput<typeof limited>) => {
    const tasks = [limited, whole, free].map((definition) => ({ definition, handler }));
    const { backend, prefix } = store;
    const queue = await createTaskQueue({ backend, prefix, tasks, worker: { concurrency: 5 } });
    queues.push(queue);
    return queue;
  };

  beforeAll(() => {
    jest.spyOn(RateLimiter.prototype, 'take').mockImplementation(async function (this: RateLimiter, ...args) {
      asked++;
      const answer: TakeAnswer = await realTake.apply(this, args);
      const { key: host, cost: tokens = 1 } = args[1];
      if (answer.granted) grants.push({ atMs: answer.nowUs / 1_000, tokens, host });
      return answer;
    });
  });

  afterAll(() => {
    jest.restoreAllMocks();
  });

  afterEach(async () => {
    await Promise.all(queues.splice(0).map((it) => it.close()));
    await store.remove();
    grants.length = asked = 0;
  });

  it('run within the bound over three workers, cost no attempt, and hold up no other', async () => {
    store = await open();
    const runs: string[] = [];
    const handler = ({ host }: { host: string }) => Promise.resolve(runs.push(host));
    const [queue] = await Promise.all([start(handler), start(handler), start(handler)]);
    const busy = Array.from({ length: 60 }, (_, index) => ({ host: 'busy', cost: 1 + (index % 3) }));
    const ids = await queue.submitBatch(limited, busy);
    const others = await queue.submitBatch(limited, [{ host: 'calm' }, { host: 'calm' }]);
    const frees = await queue.submitBatch(free, [{ host: 'free' }, { host: 'free' }]);
    for (const { id } of others) await queue.waitFor(limited, id, WAIT);
    for (const { id } of frees) await queue.waitFor(free, id, WAIT);
    expect(runs.filter((it) => it === 'busy').length).toBeLessThan(60);
    for (const { id } of ids) await queue.waitFor(limited, id, WAIT);
    expect(runs).toHaveLength(64);
    const ofBusy = grants.filter((it) => it.host === 'busy');
    expect(ofBusy.reduce((sum, it) => sum + it.tokens, 0)).toBe(120);
    expect(excess(ofBusy, limited.rateLimit!)).toBeLessThanOrEqual(0.001);
    for (const { id } of ids) {
      expect(await queue.status(limited, id)).toMatchObject({ state: 'completed', attempts: 1 });
    }
    // A place in the line, and once more where others were late: not again and again.
    expect(asked).toBeLessThan(3 * 62);
    const counted = queues
      .flatMap((it) => it.collect())
      .filter((it) => it.name.startsWith('task_rate_limit'));
    const totals = counted.map((it) => it.samples.reduce((sum, { value }) => sum + value, 0));
    expect(counted).toHaveLength(6);
    expect(totals.every((it) => it > 0)).toBe(true);
  });

  it('say until when they are limited, keep their class, and can be cancelled', async () => {
    store = await open();
    const queue = await start(() => Promise.resolve());
    const ids = await queue.submitBatch(whole, [{ host: 'a' }, { host: 'b' }, { host: 'c' }, { host: 'd' }], {
      priority: 'LOW',
    });
    const reasons = async () => Promise.all(ids.map(async ({ id }) => queue.explain(whole, id)));
    await until(async () => (await reasons()).filter((it) => it.reason === 'rate-limit').length === 2);
    const denied = (await reasons()).filter((it) => it.reason === 'rate-limit');
    const inSeconds = denied
      .map((it) => Math.round((it.until!.getTime() - Date.now()) / 1_000))
      .sort((a, b) => a - b);
    expect(inSeconds[0]).toBeLessThanOrEqual(1_000);
    expect(inSeconds[1]! - inSeconds[0]!).toBeGreaterThan(990);
    for (const { id, priority, text } of denied) {
      expect(priority).toBe('LOW');
      expect(text).toContain('rate limit');
      expect(await queue.cancel(whole, id)).toBe('cancelled');
    }
  });

  it('take tokens again for every further attempt', async () => {
    store = await open();
    let runs = 0;
    const queue = await start(() => (++runs < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve()));
    const { id } = await queue.submit(limited, { host: 'failing', cost: 10 });
    await queue.waitFor(limited, id, WAIT);
    expect(grants.map((it) => it.tokens)).toEqual([10, 10, 10]);
    expect(excess(grants, limited.rateLimit!)).toBeLessThanOrEqual(0.001);
  });

  it('pause their key when the handler says when to come back', async () => {
    store = await open();
    let asks = 0;
    const queue = await start(({ host }) => {
      return Promise.resolve(host === 'angry' && ++asks === 1 ? retryAfter(500) : null);
    });
    const first = await queue.submit(limited, { host: 'angry' });
    await until(async () => (await queue.explain(limited, first.id)).reason === 'retry-after');
    const second = await queue.submit(limited, { host: 'angry' });
    const calm = await queue.submit(limited, { host: 'calm' });
    await queue.waitFor(limited, calm.id, WAIT);
    expect(await queue.status(limited, second.id)).not.toMatchObject({ state: 'completed' });
    for (const { id } of [first, second]) await queue.waitFor(limited, id, WAIT);
    const angry = grants.filter((it) => it.host === 'angry').map((it) => it.atMs);
    expect(angry).toHaveLength(3);
    expect(angry[1]! - angry[0]!).toBeGreaterThanOrEqual(500);
  });

  it('fail for good when their cost makes no sense', async () => {
    store = await open();
    const queue = await start(() => Promise.resolve());
    for (const cost of [11, 0.5, -1]) {
      const { id } = await queue.submit(limited, { host: 'odd', cost });
      await expect(queue.waitFor(limited, id, WAIT)).rejects.toThrow(TaskFailedError);
      expect(await queue.status(limited, id)).toMatchObject({ attempts: 1 });
    }
    expect(grants).toEqual([]);
  });
});

describe('limited tasks of the inline mode', () => {
  it('wait for their slots in the process that submits them', async () => {
    const tasks = [{ definition: limited, handler: () => Promise.resolve(1) }];
    const queue = await createTaskQueue({ backend: 'inline', tasks });
    const startedAt = performance.now();
    await queue.submit(limited, { host: 'here', cost: 10 });
    const { id } = await queue.submit(limited, { host: 'here', cost: 5 });
    expect(await queue.result(limited, id)).toBe(1);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(99);
    const metric = queue.collect().find((it) => it.name === 'task_rate_limited_total');
    expect(metric?.samples).toEqual([{ labels: { task: limited.name }, value: 1 }]);
    await queue.close();
  });

  it('hold in the process when the store of the limits is not there', async () => {
    const tasks = [{ definition: whole, handler: () => Promise.resolve(1) }];
    const queue = await createTaskQueue({
      backend: 'redis',
      connection: 'redis://127.0.0.1:1',
      asynchronous: false,
      worker: false,
      operationTimeoutMs: 500,
      tasks,
    });
    for (let index = 0; index < 2; index++) {
      const { id } = await queue.submit(whole, { host: 'h' });
      expect(await queue.status(whole, id)).toMatchObject({ state: 'completed' });
    }
    const third = queue.submit(whole, { host: 'h' }, { id: 'third' });
    const state = async () => (await queue.status(whole, 'third').catch(() => null))?.state;
    await until(async () => (await state()) === 'delayed');
    await queue.cancel(whole, 'third');
    await third;
    await queue.close();
  });
});

describe('the module', () => {
  it('gives the limiter to who asks for it', async () => {
    const options = { backend: { type: 'inline' } as const, tasks: [] };
    const app = await Test.createTestingModule({ imports: [TaskQueueModule.forRoot(options)] }).compile();
    expect(await app.get(RateLimiter).tryAcquire('api')).toMatchObject({ allowed: true, remaining: 199 });
    await app.close();
  });
});
