import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const CLIENTS = 120;
const ANSWERS = 250;
const LOCK_MS = 40;
const MOST = 150;

interface Outcome {
  /** Of accepted requests, milliseconds. */
  median: number;
  /** Accepted requests a second. */
  goodput: number;
  shed: number;
  /** What operators and probes got in the meantime. */
  others: number[];
}

describe('streamed answers whose requests had to wait', () => {
  it('make no warning of listeners, with traces on', async () => {
    const platform = await Platform.start({
      workers: 0,
      env: {
        CONCURRENCY_LIMIT_MIN: '2',
        CONCURRENCY_LIMIT_MAX: '2',
        // Storage that is not near: large contents are streamed from the cache.
        STORAGE_READ_LATENCY_MS: '1',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
        LOG_LEVEL: 'fatal',
      },
    });
    try {
      const workspace = await platform.createWorkspace();
      const { file } = await platform.upload(
        workspace,
        'large.bin',
        Buffer.alloc(3_000_000),
        'application/x-test',
      );
      const content = `/workspaces/${workspace}/files/${file.id}/content`;
      // One at a time waits: the queue holds half as many as run.
      for (let round = 0; round < 10; round++) {
        await Promise.all(Array.from({ length: 4 }, () => platform.request('GET', content)));
      }
      expect((await platform.api.stop()).output).not.toContain('MaxListeners');
    } finally {
      await platform.stop();
    }
  }, 120_000);
});

describe('more requests than a slow database can serve', () => {
  let platform: Platform;
  let workspace: string;
  let database: DataSource;
  let isSlow = true;
  let slowness: Promise<void>;

  beforeAll(async () => {
    platform = await Platform.start({
      workers: 0,
      env: {
        // Every request asks the database, on few connections, and waits there for as long as it takes.
        CACHE_ENABLED: 'false',
        QUERY_CACHE_ENABLED: 'false',
        DATABASE_POOL_MIN: '6',
        DATABASE_POOL_MAX: '6',
        DATABASE_ACQUIRE_TIMEOUT_MS: '120000',
        CONCURRENCY_LIMIT_MIN: '6',
        CONCURRENCY_LIMIT_MAX: String(MOST),
        LOG_LEVEL: 'fatal',
      },
    });
    workspace = await platform.createWorkspace();
    database = await new DataSource({
      type: 'postgres',
      url: platform.env['DATABASE_URL'] ?? '',
    }).initialize();
    slowness = keepSlow();
  }, 180_000);
  afterAll(async () => {
    isSlow = false;
    await slowness;
    await database?.destroy();
    await platform?.stop();
  });

  /** The table is locked again and again: whoever reads it waits, and as many as there are connections go on together. */
  const keepSlow = async () => {
    while (isSlow) {
      await database.transaction(async (manager) => {
        await manager.query('LOCK TABLE workspaces IN ACCESS EXCLUSIVE MODE');
        await delay(LOCK_MS);
      });
    }
  };

  const read = (url: string) => platform.request('GET', `/workspaces/${workspace}`, { url });
  const limitOf = async (url: string) => {
    const { body } = await platform.request('GET', '/metrics', { url, key: '' });
    return Number(/^protection_concurrency_limit (\d+)/m.exec(body as string)?.[1]);
  };

  /** Clients that come back as soon as they are answered, and a little later when they are told to. */
  const overload = async (url: string, isReady: () => Promise<boolean>): Promise<Outcome> => {
    for (let turn = 0; turn < 40; turn++) await read(url);
    const latencies: number[] = [];
    const outcome: Outcome = { median: 0, goodput: 0, shed: 0, others: [] };
    let [isMeasured, isOver] = [false, false];
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (!isOver) {
        const [startedAt, counts] = [performance.now(), isMeasured];
        const { status } = await read(url);
        if (status === 503) await delay(100);
        if (!counts) continue;
        if (status === 200) latencies.push(performance.now() - startedAt);
        else outcome.shed++;
      }
    });
    await until(isReady, 120_000);
    isMeasured = true;
    const startedAt = performance.now();
    await until(async () => {
      const probe = await platform.request('GET', '/health/live', { url, key: '' });
      const figures = await platform.request('GET', '/meta/metrics', { url, key: platform.adminKey });
      outcome.others.push(probe.status, figures.status);
      return latencies.length >= ANSWERS;
    }, 180_000);
    outcome.goodput = (latencies.length * 1_000) / (performance.now() - startedAt);
    isOver = true;
    await Promise.all(clients);
    outcome.median = latencies.sort((a, b) => a - b)[latencies.length >> 1] ?? 0;
    return outcome;
  };

  it('are refused in time, so that the others are served as fast and as many as before', async () => {
    const open = await platform.spawn('api', { CONCURRENCY_LIMIT_ENABLED: 'false' }).listening();
    let busy = 0;
    const without = await overload(open, () => Promise.resolve(++busy > 20));
    const protectedOne = await overload(platform.url, async () => (await limitOf(platform.url)) < MOST / 5);

    expect(without.shed).toBe(0);
    expect(protectedOne.shed).toBeGreaterThan(0);
    expect(protectedOne.others.every((it) => it === 200)).toBe(true);
    // Of the middle: the slowest one is that of the machine's worst moment.
    expect(protectedOne.median / without.median).toBeLessThan(0.7);
    expect(protectedOne.goodput / without.goodput).toBeGreaterThan(0.4);
    const { body } = await platform.request('GET', '/metrics', { key: '' });
    expect(body).toMatch(/^protection_concurrency_shed_total\{priority="read"\} [1-9]/m);

    // And when there are fewer again, nobody is refused.
    const calm = [];
    for (let turn = 0; turn < 20; turn++) calm.push((await read(platform.url)).status);
    expect(calm.every((it) => it === 200)).toBe(true);
  }, 600_000);

  it('are told so in a problem with a time to come back', async () => {
    const url = await platform
      .spawn('api', { CONCURRENCY_LIMIT_MIN: '1', CONCURRENCY_LIMIT_MAX: '1', CONCURRENCY_QUEUE_MS: '50' })
      .listening();
    await read(url);
    const answers = await Promise.all(Array.from({ length: 30 }, () => read(url)));
    const shed = answers.filter((it) => it.status === 503);
    expect(shed.length).toBeGreaterThan(0);
    expect(answers.some((it) => it.status === 200)).toBe(true);
    expect(shed[0]?.body).toMatchObject({ code: 'OVERLOADED', requestId: expect.any(String) });
    expect(Number(shed[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });
});
