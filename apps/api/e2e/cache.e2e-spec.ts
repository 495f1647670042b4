import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const MIB = 1_048_576;

interface Tier {
  hits: number;
  misses: number;
  promotions: number;
}

interface Namespace {
  memory: Tier & { entries: number };
  redis: Tier;
  object: Tier;
  hits: number;
  reads: number;
  recent: Record<'oneMinute' | 'fiveMinutes' | 'fifteenMinutes', number | null>;
  loads: { count: number; bypassed: number };
}

interface Statistics {
  namespaces: Record<'content' | 'search' | 'query' | 'access', Namespace>;
  redis: { configured: boolean; available: boolean };
  objectStore: { configured: boolean; available: boolean; entries: number | null };
}

describe.each([
  ['with Redis', true],
  ['on memory and the object store', false],
])('the cache of the platform, %s,', (_, redis) => {
  let platform: Platform;
  let workspace: string;
  /** Another api of the same platform. */
  let sibling: string;

  beforeAll(async () => {
    // Storage that is not near: large contents go through the object tier. Memory forgets soon what no Redis tells.
    const env = { STORAGE_READ_LATENCY_MS: '1', CACHE_MEMORY_TTL_MS: redis ? '60000' : '1000' };
    platform = await Platform.start({ redis, env });
    sibling = await platform.spawn('api').listening();
    workspace = await platform.createWorkspace();
  }, 120_000);
  afterAll(() => platform?.stop());

  const admin = (method: string, path: string, body?: unknown, url = platform.url) =>
    platform.request(method, `/meta${path}`, {
      key: platform.adminKey,
      url,
      ...(body === undefined ? {} : { body }),
    });
  const statistics = async (url?: string): Promise<Statistics> =>
    (await admin('GET', '/cache-stats', undefined, url)).body.statistics as Statistics;
  const contentOf = async (url?: string) => (await statistics(url)).namespaces.content;
  const load = async (fileId: string, url = platform.url): Promise<Buffer> => {
    const response = await fetch(`${url}/api/v1/workspaces/${workspace}/files/${fileId}/content`, {
      headers: { authorization: `Bearer ${platform.apiKey}` },
    });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  };

  /** Loads a file; its pieces are all in the object tier some time after the first load, which does not wait for that. */
  const comesFromObjects = async (fileId: string, pieces: number) => {
    const before = (await contentOf()).object.hits;
    await load(fileId);
    return (await contentOf()).object.hits === before + pieces;
  };

  it('shows its figures by tier and namespace, and describes them', async () => {
    const { file } = await platform.upload(workspace, 'figures.txt', 'figures');
    await load(file.id);
    await load(file.id);
    const { namespaces, redis: redisState, objectStore } = await statistics();
    expect(Object.keys(namespaces)).toEqual(
      expect.arrayContaining(['content', 'search', 'query', 'access', 'default']),
    );
    expect(namespaces.content.memory.hits).toBeGreaterThan(0);
    expect(namespaces.content.recent.oneMinute).toBeGreaterThan(0);
    expect(redisState).toMatchObject({ configured: redis, available: redis });
    expect(objectStore).toMatchObject({ configured: true, available: true });
    const { paths, components } = (await platform.request('GET', '/docs-json')).body;
    expect(JSON.stringify(paths['/api/v1/meta/cache-stats'].get.responses['200'])).toContain(
      'CacheStatistics',
    );
    expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(['CacheStatistics']));
    expect(Object.keys(paths['/api/v1/meta/cache/rollout']).sort()).toEqual(['delete', 'get', 'put']);
    expect(JSON.stringify((await platform.request('GET', '/health')).body.checks)).toContain('cache');
  });

  it('is flushed by one request: everything, a namespace, a tag', async () => {
    const { file } = await platform.upload(workspace, 'flush.txt', 'flush');
    const loadsFor = async (url?: string) => {
      const before = (await contentOf(url)).loads.count;
      await load(file.id, url);
      return (await contentOf(url)).loads.count - before;
    };
    const reach = redis ? 'every process' : 'this process';
    for (const [body, flushed, loads] of [
      // Whether the workspace may be seen, where the file is, its bytes.
      [undefined, 'all entries', 3],
      [{}, 'all entries', 3],
      [{ namespace: 'content' }, 'all entries of the namespace content', 3],
      [{ tags: [`file:${file.id}`] }, `entries tagged file:${file.id}`, 1],
      [{ namespace: 'search', tags: [`file:${file.id}`] }, expect.any(String), 0],
      [{ namespace: 'search' }, 'all entries of the namespace search', 0],
    ] as const) {
      await load(file.id);
      await load(file.id, sibling);
      expect(await admin('POST', '/cache/flush', body)).toMatchObject({
        status: 200,
        body: { flushed, reach },
      });
      expect(await loadsFor()).toBe(loads);
    }
    if (!redis) return;
    // The first one loads, and the other finds in Redis what it has lost as well.
    await admin('POST', '/cache/flush');
    const before = await contentOf(sibling);
    await load(file.id);
    await load(file.id, sibling);
    const after = await contentOf(sibling);
    expect([after.loads.count - before.loads.count, after.redis.hits - before.redis.hits]).toEqual([0, 3]);
  });

  it.each([
    ['POST', '/cache/flush', { namespace: 'contnet' }, 'body.namespace'],
    ['POST', '/cache/flush', { tags: [] }, 'body.tags'],
    ['POST', '/cache/flush', { everything: true }, 'body'],
    ['POST', '/cache/flush', [], 'body'],
    ['PUT', '/cache/rollout', {}, 'body'],
    ['PUT', '/cache/rollout', { percent: 101 }, 'body.percent'],
    ['PUT', '/cache/rollout', { percent: 0.001 }, 'body.percent'],
    ['PUT', '/cache/rollout', { percent: '50' }, 'body.percent'],
    ['PUT', '/cache/rollout', { namespaces: { serach: 10 } }, 'body.namespaces'],
  ])('refuses %s %s with %j as a problem', async (method, path, body, field) => {
    const answer = await admin(method, path, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(answer.body.errors[0].field).toBe(field);
    const denied = await platform.request(method, `/meta${path}`, { body });
    expect(denied.status).toBe(403);
  });

  it('is rolled out live, in api and worker, and keeps that over a restart', async () => {
    const { file } = await platform.upload(workspace, 'rollout.txt', 'rollout');
    const [workerUrl = ''] = platform.workerUrls;
    const workerPercent = async () => {
      const { body } = await platform.request('GET', '/metrics', { url: workerUrl });
      return Number(
        /^feature_rollout_percent\{flag="cacheEnabled",scope=""\} (\S+)$/m.exec(String(body))?.[1],
      );
    };
    const gained = async (url?: string) => {
      await load(file.id, url);
      const before = await contentOf(url);
      await load(file.id, url);
      const { hits, loads } = await contentOf(url);
      return { hits: hits - before.hits, bypassed: loads.bypassed - before.loads.bypassed };
    };
    const on = { hits: 3, bypassed: 0 };
    const off = { hits: 0, bypassed: 3 };
    expect(await gained()).toEqual(on);

    const changed = await admin('PUT', '/cache/rollout', { percent: 0, namespaces: { access: 100 } });
    expect(changed).toMatchObject({
      status: 200,
      body: {
        inForce: { percent: 0, namespaces: { access: 100 } },
        configured: { percent: 100, namespaces: {} },
        override: { percent: 0, namespaces: { access: 100 } },
      },
    });
    expect(await gained()).toEqual(off);
    await until(async () => (await gained(sibling)).bypassed === 3, 10_000);
    await until(async () => (await workerPercent()) === 0, 10_000);

    await platform.api.stop();
    await platform.restartApi();
    expect(await gained()).toEqual(off);
    expect((await admin('GET', '/cache/rollout')).body.inForce.percent).toBe(0);

    const back = await admin('DELETE', '/cache/rollout');
    expect(back.body).toMatchObject({ inForce: { percent: 100, namespaces: {} }, override: null });
    expect(await gained()).toEqual(on);
    await until(async () => (await gained(sibling)).hits === 3, 10_000);
    await until(async () => (await workerPercent()) === 100, 10_000);
  }, 60_000);

  it('finds a large content in the object tier after a restart', async () => {
    const bytes = randomBytes(3 * MIB + 5);
    const { file } = await platform.upload(workspace, 'large.bin', bytes, 'application/x-test');
    expect((await load(file.id)).equals(bytes)).toBe(true);
    await until(() => comesFromObjects(file.id, 4));

    await platform.api.stop();
    await platform.restartApi();
    expect((await load(file.id)).equals(bytes)).toBe(true);
    expect((await contentOf()).object).toMatchObject({ hits: 4 });
  }, 60_000);

  it('forgets a content in the api when the worker has released it', async () => {
    const bytes = randomBytes(2 * MIB);
    const { file } = await platform.upload(workspace, 'released.bin', bytes, 'application/x-test');
    await until(() => comesFromObjects(file.id, 2));
    const stored = await filesBelow(platform.storageFolder);
    await platform.request('DELETE', `/workspaces/${workspace}/files/${file.id}`);
    await until(async () => (await filesBelow(platform.storageFolder)) < stored);

    const again = (await platform.upload(workspace, 'again.bin', bytes, 'application/x-test')).file;
    expect(again.sha256).toBe(file.sha256);
    const before = (await contentOf()).object.hits;
    expect((await load(again.id)).equals(bytes)).toBe(true);
    expect((await contentOf()).object.hits).toBe(before);
  }, 60_000);
});

describe('a rollout by namespace in CACHE_ENABLED', () => {
  it('holds for each, and a namespace that does not exist ends the start with its name', async () => {
    const platform = await Platform.start({
      workers: 0,
      env: { CACHE_ENABLED: 'false,content=true', CACHE_OBJECT_STORE: 'none' },
    });
    try {
      const { body } = await platform.request('GET', '/meta/cache-stats', { key: platform.adminKey });
      expect(body.statistics.namespaces.access.loads.bypassed).toBeGreaterThan(0);
      expect(body.statistics.objectStore.configured).toBe(false);
      const misspelled = platform.spawn('api', { CACHE_ENABLED: 'serach=10%' });
      const { code, output } = await misspelled.ended();
      expect(code).toBe(1);
      expect(output).toContain('CACHE_ENABLED: given "serach", expected parts among');
      expect(output).not.toContain('    at ');
    } finally {
      await platform.stop();
    }
  }, 120_000);
});

async function filesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((it) => it.isFile()).length;
}
