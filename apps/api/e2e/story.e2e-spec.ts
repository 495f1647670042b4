import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logIn } from './support/operator.js';
import { type Answer, Platform } from './support/platform.js';
import { nextOf, openConsole } from './support/snapshots.js';
import { until } from './support/until.js';

const GUIDE = `---
title: Deploying
---
# Deploying

The staging database is restored from the backup every night at two.

A release goes to the canary region first, and to all others an hour later.
`;
const CHANGED_GUIDE = GUIDE.replace('the canary region', 'the lighthouse region');
const SOURCE = 'export function run(input: string) {\n  return eval(input) == 1;\n}\n';

const SEARCH_ROUTE = '/api/v1/workspaces/:workspaceId/search';

/** Counters that the chapters move, each in whatever process did the work. */
const RISING = [
  'ai_results_total',
  'cache_bus_messages_total',
  'cache_hits_total',
  'cache_loads_total',
  'db_query_cache_misses_total',
  'http_requests_total',
  'memories_answers_total',
  'memories_feedback_flushes_total',
  'task_completed_total',
];

/** Every chapter goes on where the one before has ended: two apis and two workers, with PostgreSQL and Redis. */
describe('a day on the platform', () => {
  let platform: Platform;
  let urls: string[];
  let folder: string;
  let workspace: string;
  let before: Map<string, number>;
  let guide: { id: string; path: string };
  let uploadedId: string;
  let memoryIds: string[];

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'peregrine-story-')));
    // A busy machine must not look like a Redis that is away: then each process caches for itself.
    const env = { CONTENT_SYNC_ROOTS: folder, CACHE_REDIS_TIMEOUT_MS: '10000' };
    platform = await Platform.start({ workers: 2, env });
    urls = [platform.url, await platform.spawn('api').listening()];
    // One caller does it all.
    platform.apiKey = await platform.createKey([
      ...['content:read', 'content:write', 'memories:read', 'memories:write', 'ai:use'],
    ]);
    before = await figures();
  }, 120_000);
  afterAll(async () => {
    await platform?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const ask = (method: string, path: string, body?: unknown, url = platform.url) =>
    platform.request(method, path, { body, url });
  const read = async (path: string, url?: string): Promise<Answer['body']> =>
    (await ask('GET', `/workspaces/${workspace}/${path}`, undefined, url)).body;
  const found = async (word: string, url?: string) =>
    ((await read(`search?q=${word}`, url)).items as { path: string }[]).map((it) => it.path);
  const recall = async (query: string, url?: string) =>
    (await ask('POST', '/memories/query', { workspaceId: workspace, query, limit: 5 }, url)).body.hits as {
      id: string;
      content: string;
      explanation: { keyword: object | null; vector: object | null };
    }[];
  /** The guide in all the forms in which it is kept, as one api answers them. */
  const formsOf = async (url: string) => ({
    content: (await read(`files/${guide.id}/content`, url)) as string,
    html: (await read(`files/${guide.id}/conversions/html`, url)) as string,
    canary: await found('canary', url),
    lighthouse: await found('lighthouse', url),
  });

  async function synchronise(): Promise<Record<string, number>> {
    const path = `/workspaces/${workspace}/syncs`;
    const { body } = await platform.request('POST', path, {
      key: platform.adminKey,
      body: { source: folder, deletes: false },
    });
    await until(async () => (await read(`syncs/${body.id}`)).endedAt !== null);
    const { state, counts } = await read(`syncs/${body.id}`);
    expect(state).toBe('completed');
    return counts as Record<string, number>;
  }

  /** Counters by name, of all processes and whatever their labels. */
  async function figures(): Promise<Map<string, number>> {
    const sums = new Map<string, number>();
    for (const url of [...urls, ...platform.workerUrls]) {
      const { body } = await platform.request('GET', '/metrics', { url, key: '' });
      for (const [, name = '', value] of (body as string).matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm))
        sums.set(name, (sums.get(name) ?? 0) + Number(value));
    }
    return sums;
  }

  it('begins with files, uploaded and from a folder', async () => {
    workspace = (await ask('POST', '/workspaces', { name: 'a day' })).body.id;
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'guide.md'), GUIDE);
    await writeFile(join(folder, 'src/run.ts'), SOURCE);
    uploadedId = (await platform.upload(workspace, 'uploads/note.txt', 'A note that was uploaded')).file.id;
    expect(await synchronise()).toMatchObject({ copied: 2, skipped: 0 });
    await platform.extracted(workspace);
    const { items } = (await read('files')) as { items: (typeof guide)[] };
    expect(items.map((it) => it.path).toSorted()).toEqual(['guide.md', 'src/run.ts', 'uploads/note.txt']);
    guide = items.find((it) => it.path === 'guide.md') ?? guide;
    for (const url of urls)
      expect(await formsOf(url)).toEqual({
        content: GUIDE,
        html: expect.stringContaining('the canary region'),
        canary: ['guide.md'],
        lighthouse: [],
      });
  }, 120_000);

  it('has source analysed, and the same source again for nothing', async () => {
    const { items } = (await read('files')) as { items: (typeof guide)[] };
    const id = items.find((it) => it.path === 'src/run.ts')?.id ?? '';
    const body = { code: await read(`files/${id}/content`), language: 'typescript' };
    const first = await ask('POST', '/ai/analyses', body);
    expect(first.body.source).toBe('miss');
    const rules = (first.body.analysis.findings as { rule: string }[]).map((it) => it.rule);
    expect(rules).toEqual(expect.arrayContaining(['security/eval', 'quality/loose-equality']));
    // The other process answers from what this one has done.
    for (const url of urls) {
      const again = await ask('POST', '/ai/analyses', body, url);
      expect(again.body).toEqual({ ...first.body, source: 'hit' });
    }
    // Each process writes down what it counted.
    await until(async () => {
      const { callsSaved, results } = (await ask('GET', '/ai/statistics?days=2')).body;
      return callsSaved === 2 && results.paid >= 1;
    });
  }, 120_000);

  it('remembers paragraphs, and finds them by words and by meaning', async () => {
    const text = (await read(`files/${guide.id}/conversions/text`)) as string;
    const contents = text.split('\n').filter((it) => it.endsWith('.'));
    expect(contents).toHaveLength(2);
    const body = { workspaceId: workspace, contents };
    const { items } = (await ask('POST', '/memories/add', body)).body;
    memoryIds = (items as { id: string }[]).map((it) => it.id);
    const again = await ask('POST', '/memories/add', body, urls[1]);
    expect(again.body.items).toEqual(memoryIds.map((id) => ({ id, status: 'existing' })));
    // A worker embeds them.
    await until(async () => Boolean((await recall('when is staging restored'))[0]?.explanation.vector));
    for (const url of urls)
      expect((await recall('when is staging restored', url))[0]).toMatchObject({
        id: memoryIds[0],
        content: contents[0],
        explanation: { keyword: expect.anything(), vector: expect.anything() },
      });
    const bootstrap = await ask('GET', `/memories/bootstrap?workspaceId=${workspace}`);
    expect((bootstrap.body.items as { id: string }[]).map((it) => it.id).toSorted()).toEqual(
      memoryIds.toSorted(),
    );
  }, 120_000);

  it('changes a file on disk, and nothing answers the old text any more', async () => {
    await writeFile(join(folder, 'guide.md'), CHANGED_GUIDE);
    expect(await synchronise()).toMatchObject({ copied: 1, equal: 1 });
    await platform.extracted(workspace);
    for (const url of urls) {
      // A worker has changed it; each api hears of it.
      await until(async () => {
        const { content, html, canary, lighthouse } = await formsOf(url);
        return (
          content === CHANGED_GUIDE &&
          html.includes('the lighthouse region') &&
          canary.length === 0 &&
          lighthouse.length === 1
        );
      });
      // Once it has, it does not go back.
      expect(await formsOf(url)).toEqual({
        content: CHANGED_GUIDE,
        html: expect.not.stringContaining('canary'),
        canary: [],
        lighthouse: ['guide.md'],
      });
    }
  }, 120_000);

  it('deletes a file and a memory, for every process', async () => {
    const path = `/workspaces/${workspace}/files/${uploadedId}`;
    expect(await found('uploaded', urls[1])).toEqual(['uploads/note.txt']);
    expect((await ask('DELETE', path)).status).toBe(204);
    const headers = { 'x-workspace-id': workspace };
    const memory = `/memories/${memoryIds[0]}`;
    expect((await platform.request('DELETE', memory, { headers })).status).toBe(204);
    for (const url of urls) {
      await until(async () => (await found('uploaded', url)).length === 0);
      await until(async () => (await ask('GET', path, undefined, url)).status === 404);
      await until(async () => (await platform.request('GET', memory, { headers, url })).status === 404);
      const ids = (await recall('when is staging restored', url)).map((it) => it.id);
      expect(ids).not.toContain(memoryIds[0]);
    }
  }, 120_000);

  it('is seen in the metrics of all processes and in the figures of one', async () => {
    await until(async () => {
      const now = await figures();
      return RISING.every((name) => (now.get(name) ?? 0) > (before.get(name) ?? 0));
    });
    const admin = { key: platform.adminKey };
    const { body: cache } = await platform.request('GET', '/meta/cache-stats', admin);
    for (const namespace of ['content', 'search', 'query'])
      expect(cache.statistics.namespaces[namespace].loads.count).toBeGreaterThan(0);
    const { body: metrics } = await platform.request('GET', '/meta/metrics', admin);
    expect(metrics.requests.total).toBeGreaterThan(20);
    await until(async () => {
      const { body: health } = await platform.request('GET', '/meta/health', admin);
      return (health.checks as { status: string }[]).every((it) => it.status === 'up');
    });
  }, 120_000);

  it('is seen in the console', async () => {
    const { cookie } = await logIn(platform);
    const opened = await openConsole(platform.url, cookie);
    try {
      let snapshot = await nextOf(opened);
      // What the others have written of themselves is read every few seconds.
      await until(async () => {
        snapshot = await nextOf(opened);
        return snapshot.processes.all.filter((it) => !it.isGone).length === 4 && snapshot.queue.pending === 0;
      });
      expect(snapshot.health).toMatchObject({ database: 'up' });
      expect(snapshot.savings.ai?.results).toBeGreaterThan(0);
      expect(snapshot.routes.map((it) => `${it.method} ${it.route}`)).toEqual(
        expect.arrayContaining(['POST /api/v1/memories/query', `GET ${SEARCH_ROUTE}`]),
      );
      expect(snapshot.cache.namespaces.map((it) => it.name)).toEqual(
        expect.arrayContaining(['ai', 'content', 'search', 'query']),
      );
    } finally {
      opened.close();
    }
  }, 120_000);
});
