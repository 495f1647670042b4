import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '@peregrine/database';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

interface Report {
  cache: { percent: number; hits: number; misses: number; entries: number; bypassed: Record<string, number> };
  queries: { count: number };
  topQueries: { sql: string }[];
  slowQueries: { p95Ms: number }[];
  indexRecommendations: unknown[];
  pool: { acquired: Record<'high' | 'normal' | 'low', number>; size: number };
  queryLoops: { watched: number; found: number; latest: { where: string }[] };
}

/** A session that is none of ours, such as psql's. */
async function stranger<T>(
  platform: Platform,
  work: (run: (sql: string) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const dataSource = createDataSource({ url: platform.env['DATABASE_URL'] ?? '', poolMax: 1 });
  await dataSource.initialize();
  const session = dataSource.createQueryRunner();
  try {
    return await work((sql) => session.query(sql));
  } finally {
    await session.release();
    await dataSource.destroy();
  }
}

describe('queries of the platform', () => {
  let platform: Platform;
  let workspace: string;
  /** Another api of the same platform. */
  let sibling: string;

  beforeAll(async () => {
    platform = await Platform.start({ env: { QUERY_LOOP_WATCH: 'warn' } });
    sibling = await platform.spawn('api').listening();
    workspace = await platform.createWorkspace();
  }, 120_000);
  afterAll(() => platform?.stop());

  const admin = (method: string, path: string, body?: unknown, url = platform.url) =>
    platform.request(method, path, { key: platform.adminKey, url, ...(body !== undefined && { body }) });
  const report = async (url?: string) =>
    (await admin('GET', '/optimizer/report', undefined, url)).body as Report;
  const files = async (url = platform.url) =>
    (await platform.request('GET', `/workspaces/${workspace}/files?fields=path,name`, { url })).body
      .items as { path: string; name: string }[];
  const paths = async (url?: string) => (await files(url)).map((it) => it.path);
  /** Whether the list was answered from the cache the second time. */
  const isCached = async (url?: string) => {
    await files(url);
    const before = (await report(url)).cache.hits;
    await files(url);
    return (await report(url)).cache.hits > before;
  };

  it('are in the report: cached reads, figures, the pool, no loop', async () => {
    await platform.upload(workspace, 'seen.txt', 'a kestrel hovers');
    await platform.extracted(workspace);
    await platform.request('GET', `/workspaces/${workspace}/search?q=kestrel`);
    await until(() => isCached());
    const seen = await report();
    expect(seen.cache).toMatchObject({ percent: 100, misses: expect.any(Number) });
    expect(seen.cache.entries).toBeGreaterThan(0);
    expect(seen.queries.count).toBeGreaterThan(0);
    expect(seen.topQueries.map((it) => it.sql).join('\n')).toMatch(/FROM "?files"? "?f\b/);
    const slowest = seen.slowQueries.map((it) => it.p95Ms);
    expect(slowest).toEqual(slowest.toSorted((a, b) => b - a));
    expect(seen.indexRecommendations).toEqual([]);
    expect(seen.pool.acquired.high).toBeGreaterThan(0);
    expect(seen.queryLoops.watched).toBeGreaterThan(0);
    expect(seen.queryLoops.latest).toEqual([]);
    const stats = await admin('GET', '/meta/cache-stats');
    expect(stats.body.summary.queryEntries).toBeGreaterThan(0);
  });

  it('are figures for Prometheus in both apps, by the priority of what asked', async () => {
    const [workerUrl = ''] = platform.workerUrls;
    const metrics = async (url: string) => String((await platform.request('GET', '/metrics', { url })).body);
    const acquired = (text: string, priority: string) =>
      Number(
        new RegExp(`^db_pool_wait_seconds_count\\{priority="${priority}"\\} (\\d+)`, 'm').exec(text)?.[1],
      );
    const [api, worker] = [await metrics(platform.url), await metrics(workerUrl)];
    for (const text of [api, worker]) {
      expect(text).toMatch(/^db_query_latency_bucket\{le="0.01"\} \d+/m);
      expect(text).toMatch(/^db_pool_connections\{state="idle"\} \d+/m);
      expect(text).toMatch(/^db_n_plus_one_total 0$/m);
    }
    expect(acquired(api, 'high')).toBeGreaterThan(0);
    // Nobody waits for the release of what a deleted file leaves.
    const { file } = await platform.upload(workspace, 'gone.txt', 'gone');
    await platform.request('DELETE', `/workspaces/${workspace}/files/${file.id}`);
    await until(async () => acquired(await metrics(workerUrl), 'low') > 0);
    const { checks } = (await platform.request('GET', '/health/ready')).body;
    expect(JSON.stringify(checks)).toContain('database-pool');
  });

  it('are listed page by page, by any figure, for admins', async () => {
    const all: { fingerprint: string; calls: number }[] = [];
    let cursor = '';
    do {
      const { status, body } = await admin('GET', `/optimizer/queries?sort=errors&limit=3${cursor}`);
      expect(status).toBe(200);
      all.push(...body.items);
      cursor = body.nextCursor === null ? '' : `&cursor=${encodeURIComponent(body.nextCursor)}`;
    } while (cursor !== '');
    expect(new Set(all.map((it) => it.fingerprint)).size).toBe(all.length);
    const most = (await admin('GET', '/optimizer/queries?sort=calls&limit=100')).body.items as typeof all;
    const calls = most.map((it) => it.calls);
    expect(calls).toEqual(calls.toSorted((a, b) => b - a));
    expect(most.length).toBeGreaterThanOrEqual(all.length);

    for (const query of ['sort=sql', 'limit=0', 'limit=101', 'offset=1']) {
      expect(await admin('GET', `/optimizer/queries?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'VALIDATION_FAILED' },
      });
    }
    expect(await admin('GET', '/optimizer/queries?cursor=abc')).toMatchObject({
      status: 400,
      body: { code: 'DATABASE_INVALID_CURSOR' },
    });
    for (const path of ['report', 'queries', 'rollout']) {
      expect((await platform.request('GET', `/optimizer/${path}`)).status).toBe(403);
    }
    const { paths: described } = (await platform.request('GET', '/docs-json')).body;
    expect(JSON.stringify(described['/api/v1/optimizer/report'].get.responses['200'])).toContain(
      'OptimizerReport',
    );
  });

  it('answer a read after a write by HTTP with what was written, readers all around', async () => {
    let isOver = false;
    const readers = Array.from({ length: 4 }, async () => {
      while (!isOver) await files();
    });
    try {
      for (let round = 0; round < 10; round++) {
        const name = `round ${round}`;
        await platform.request('PATCH', `/workspaces/${workspace}`, { body: { name } });
        const { body } = await platform.request('GET', `/workspaces/${workspace}`);
        expect(body.name).toBe(name);
        const { file } = await platform.upload(workspace, `round-${round}.txt`, name);
        expect(await paths()).toContain(`round-${round}.txt`);
        await platform.request('DELETE', `/workspaces/${workspace}/files/${file.id}`);
        expect(await paths()).not.toContain(`round-${round}.txt`);
        expect((await platform.request('GET', `/workspaces/${workspace}/files/${file.id}`)).status).toBe(404);
      }
    } finally {
      isOver = true;
      await Promise.all(readers);
    }
    await until(async () => !(await paths(sibling)).some((it) => it.startsWith('round-')), 10_000);
  }, 60_000);

  it('hear of writes by others, in every process', async () => {
    await platform.upload(workspace, 'others.txt', 'x');
    await until(async () => (await isCached()) && (await isCached(sibling)));
    const renamed = async (name: string) => {
      for (const url of [platform.url, sibling]) {
        await until(async () => (await files(url)).some((it) => it.name === name), 10_000);
      }
    };
    await stranger(platform, async (run) => {
      await run(`UPDATE files SET name = 'by a stranger' WHERE path = 'others.txt'`);
      await renamed('by a stranger');
      await run('BEGIN');
      await run(`UPDATE files SET name = 'in a transaction' WHERE path = 'others.txt'`);
      expect((await files()).map((it) => it.name)).toContain('by a stranger');
      await run('COMMIT');
      await renamed('in a transaction');
    });
  }, 60_000);

  it('are rolled out live, in every process', async () => {
    await until(async () => (await isCached()) && (await isCached(sibling)));
    const changed = await admin('PUT', '/optimizer/rollout', { percent: 0 });
    expect(changed).toMatchObject({ status: 200, body: { inForce: 0, configured: 100, override: 0 } });
    expect(await isCached()).toBe(false);
    expect((await report()).cache.bypassed['DISABLED']).toBeGreaterThan(0);
    await until(async () => !(await isCached(sibling)), 10_000);
    expect((await admin('PUT', '/optimizer/rollout', { percent: 33.33 })).body.inForce).toBe(33.33);
    const back = await admin('DELETE', '/optimizer/rollout');
    expect(back.body).toEqual({ inForce: 100, configured: 100, override: null });
    await until(async () => (await isCached()) && (await isCached(sibling)));
    for (const body of [{}, { percent: 101 }, { percent: '5' }, { percent: 5, namespaces: {} }]) {
      expect((await admin('PUT', '/optimizer/rollout', body)).status).toBe(400);
    }
  }, 60_000);
  it('need settings of the session that the server takes, or the start ends with their names', async () => {
    const { code, output } = await platform
      .spawn('api', { DATABASE_SESSION: 'work_men=8MB,jit=maybe' })
      .ended();
    expect(code).toBe(1);
    for (const text of ['DATABASE_SESSION', 'work_men', 'jit']) expect(output).toContain(text);
    expect(output).not.toContain('    at ');
  }, 60_000);
});

describe('a pool without a free connection', () => {
  it('is told as 503, by health and metrics, and heals; QUERY_CACHE_ENABLED=false is off from the start', async () => {
    const platform = await Platform.start({
      workers: 0,
      env: {
        QUERY_CACHE_ENABLED: 'false',
        DATABASE_POOL_MIN: '1',
        DATABASE_POOL_MAX: '2',
        DATABASE_POOL_MAX_WAITING: '2',
        DATABASE_ACQUIRE_TIMEOUT_MS: '300',
      },
    });
    try {
      const list = (limit: number) =>
        platform.request('GET', `/workspaces?limit=${limit}`, { key: platform.adminKey });
      // What a process does of itself at its start may have both connections for a moment.
      await until(async () => (await list(1)).status === 200, 20_000);
      const answers = await stranger(platform, async (run) => {
        await run('BEGIN');
        await run('LOCK TABLE workspaces IN ACCESS EXCLUSIVE MODE');
        const waiting = Array.from({ length: 12 }, (_, index) => list(index + 1));
        const refused = async () => {
          const { body } = await platform.request('GET', '/metrics');
          const valueOf = (name: string) =>
            Number(new RegExp(`^${name} (\\d+)`, 'm').exec(String(body))?.[1]);
          return valueOf('db_pool_refused_total') + valueOf('db_pool_timeouts_total');
        };
        // Two have connections, all others are told.
        await until(async () => (await refused()) >= 10, 20_000);
        await until(async () => {
          const { body } = await platform.request('GET', '/health/ready');
          return /"database-pool"[^}]*"down"/.test(JSON.stringify(body.checks));
        }, 30_000);
        await run('ROLLBACK');
        return Promise.all(waiting);
      });
      const failed = answers.filter((it) => it.status !== 200);
      expect(failed.length).toBeGreaterThanOrEqual(10);
      for (const it of failed) {
        expect(it).toMatchObject({ status: 503, body: { title: 'Service Unavailable' } });
        expect(['POOL_EXHAUSTED', 'POOL_ACQUIRE_TIMEOUT']).toContain(it.body.code);
        expect(it.headers.get('retry-after')).toMatch(/^\d+$/);
      }
      await until(async () => (await list(1)).status === 200, 20_000);
      const { body } = await platform.request('GET', '/optimizer/report', { key: platform.adminKey });
      expect(body.cache).toMatchObject({ percent: 0, hits: 0, misses: 0 });
    } finally {
      await platform.stop();
    }
  }, 120_000);
});
