import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseInvalidationOptions } from '../src/invalidation/invalidation.options.js';
import { MemoryInvalidationQueue } from '../src/invalidation/memory-queue.js';
import { MemoryPurgeBudget } from '../src/invalidation/purge-budget.js';
import { PurgeDelivery } from '../src/invalidation/purge-delivery.js';
import { PurgeStatistics } from '../src/invalidation/purge-statistics.js';
import { surrogateHeaders } from '../src/invalidation/surrogate-keys.js';
import { type PurgeRequest } from '../src/providers/purge-provider.js';
import { createProvider } from '../src/providers/create-provider.js';
import { type RunningServer, startVarnish } from '../src/testing/index.js';
import { renderVarnishVcl } from '../src/varnish/varnish-vcl.js';

const TOKEN = 'a-token-for-this-test';

describe('Varnish with the VCL of the library', () => {
  let folder: string;
  let origin: Server;
  let varnish: RunningServer;
  /** Headers of the next answers by path; each answer's body counts the requests that came through. */
  const headers = new Map<string, Record<string, string>>();
  let count = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-varnish-'));
    origin = createServer((request, response) => {
      const own = headers.get(request.url ?? '') ?? { 'cache-control': 'public, max-age=600' };
      response.writeHead(200, own).end(`${++count}`);
    }).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const { port } = origin.address() as AddressInfo;
    varnish = await startVarnish(
      folder,
      renderVarnishVcl({ origin: { host: '127.0.0.1', port }, token: TOKEN }),
    );
  }, 60_000);
  afterAll(async () => {
    await varnish?.stop();
    origin?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const get = async (path: string, requestHeaders: Record<string, string> = {}) => {
    const response = await fetch(`${varnish.url}${path}`, { headers: requestHeaders });
    return { body: await response.text(), status: response.status, headers: response.headers };
  };
  const provider = () => createProvider({ type: 'varnish', urls: [varnish.url], token: TOKEN });
  const purge = (request: Partial<PurgeRequest> & Pick<PurgeRequest, 'kind'>) =>
    provider().purge({ values: [], soft: false, ...request }, AbortSignal.timeout(10_000));
  /** Whether the next answer comes from the origin. */
  const isFresh = async (path: string) => {
    const before = count;
    await get(path);
    return count > before;
  };

  it('keeps answers, says so, and keeps its own headers inside', async () => {
    headers.set('/kept', { 'cache-control': 'public, max-age=600', ...surrogateHeaders(['a']) });
    expect((await get('/kept')).headers.get('cache-status')).toBe('varnish; fwd=miss');
    const answer = await get('/kept');
    expect(answer.headers.get('cache-status')).toBe('varnish; hit');
    for (const name of ['surrogate-key', 'cache-tag', 'x-url']) expect(answer.headers.has(name)).toBe(false);
  });

  it('purges a path, with its query, and nothing else', async () => {
    for (const path of ['/p/a', '/p/b', '/p/a?x=1']) await get(path);
    await purge({ kind: 'path', values: ['/p/a?x=1'] });
    expect(await isFresh('/p/a?x=1')).toBe(true);
    expect(await isFresh('/p/a')).toBe(false);
    expect(await isFresh('/p/b')).toBe(false);
  });

  it('answers once more with what was purged softly, and renews it', async () => {
    headers.set('/soft', { 'cdn-cache-control': 'public, max-age=600, stale-while-revalidate=600' });
    const before = (await get('/soft')).body;
    await purge({ kind: 'path', values: ['/soft'], soft: true });
    expect((await get('/soft')).body).toBe(before);
    while ((await get('/soft')).body === before) await new Promise(setImmediate);
  });

  it('purges everything with one of the keys, whatever characters they have', async () => {
    const tags = [
      'file:1',
      'file:11',
      'x"y',
      "it's",
      'a\\b',
      'a.b',
      'a+b',
      '(a|b)[c]{d}^$?*',
      'ä ö',
      'a,b',
      'a%20b',
    ];
    for (const [index, tag] of tags.entries()) {
      headers.set(`/tag/${index}`, { 'cache-control': 'max-age=600', ...surrogateHeaders(['all', tag]) });
    }
    for (const [index, tag] of tags.entries()) {
      for (const other of tags.keys()) await get(`/tag/${other}`);
      const { 'Surrogate-Key': keys = '' } = surrogateHeaders([tag]);
      await purge({ kind: 'tag', values: [keys] });
      const fresh: number[] = [];
      for (const other of tags.keys()) if (await isFresh(`/tag/${other}`)) fresh.push(other);
      expect({ tag, fresh }).toEqual({ tag, fresh: [index] });
    }
    await purge({ kind: 'tag', values: ['none', 'all'] });
    expect(await isFresh('/tag/0')).toBe(true);
  });

  it('purges by a wildcard, and everything', async () => {
    for (const path of ['/w.x/a', '/w.x/b/c', '/wax/a', '/other']) await get(path);
    await purge({ kind: 'wildcard', values: ['/w.x/*'] });
    expect([await isFresh('/w.x/a'), await isFresh('/w.x/b/c')]).toEqual([true, true]);
    expect([await isFresh('/wax/a'), await isFresh('/other')]).toEqual([false, false]);
    await purge({ kind: 'everything' });
    expect([await isFresh('/wax/a'), await isFresh('/other')]).toEqual([true, true]);
  });

  it('obeys CDN-Cache-Control before Cache-Control', async () => {
    headers.set('/cdn', { 'cache-control': 'private, no-cache', 'cdn-cache-control': 'public, max-age=600' });
    headers.set('/no', { 'cache-control': 'public, max-age=600', 'cdn-cache-control': 'no-store' });
    headers.set('/private', { 'cache-control': 'private, max-age=600' });
    headers.set('/cookie', { 'cache-control': 'public, max-age=600', 'set-cookie': 'a=1' });
    for (const path of ['/cdn', '/no', '/private', '/cookie']) await get(path);
    expect(await isFresh('/cdn')).toBe(false);
    for (const path of ['/no', '/private', '/cookie']) expect(await isFresh(path)).toBe(true);
  });

  it('never answers one caller with what is for another', async () => {
    const ask = async (path: string, key: string) => (await get(path, { authorization: key })).body;
    headers.set('/mine', { 'cdn-cache-control': 'public, max-age=600', vary: 'Authorization' });
    headers.set('/unvaried', { 'cdn-cache-control': 'public, max-age=600' });
    headers.set('/implicit', { 'cache-control': 'max-age=600', vary: 'Authorization' });
    const [first, second] = [await ask('/mine', 'a'), await ask('/mine', 'b')];
    expect(first).not.toBe(second);
    expect([await ask('/mine', 'a'), await ask('/mine', 'b')]).toEqual([first, second]);
    for (const path of ['/unvaried', '/implicit'])
      expect(await ask(path, 'a')).not.toBe(await ask(path, 'a'));
  });

  describe('with a probe', () => {
    const deliver = async (options: { host?: string } = {}) => {
      const queue = new MemoryInvalidationQueue();
      const edge = createProvider({ type: 'varnish', urls: [varnish.url], token: TOKEN, ...options });
      const delivery = new PurgeDelivery({
        ...{ provider: edge, queue, budget: new MemoryPurgeBudget(), statistics: new PurgeStatistics() },
        options: parseInvalidationOptions({ probe: { baseUrl: varnish.url, attempts: 2, delayMs: 10 } }),
        warn: () => undefined,
      });
      const target = { kind: 'path', value: '/probed' } as const;
      await queue.add([{ provider: edge.name, target, soft: false }]);
      await delivery.run(AbortSignal.timeout(10_000));
      return { pending: await queue.pending(1), history: await queue.history(1) };
    };
    /** A copy that is older than the purge, by what the origin says of its age. */
    const keepOldCopy = async () => {
      await purge({ kind: 'path', values: ['/probed'] });
      headers.set('/probed', { 'cache-control': 'public, max-age=600', age: '60' });
      await get('/probed');
      headers.set('/probed', { 'cache-control': 'public, max-age=600' });
    };

    it('proves a purge by the age of what is answered', async () => {
      await keepOldCopy();
      const { pending, history } = await deliver();
      expect(pending).toEqual([]);
      expect(history).toMatchObject([{ state: 'done', verified: true }]);
    });

    it('keeps a purge that did nothing, and says what is still served', async () => {
      await keepOldCopy();
      const { pending } = await deliver({ host: 'another.example' });
      expect(pending).toMatchObject([
        {
          state: 'pending',
          attempts: 1,
          error: expect.stringContaining('still answers /probed with a copy'),
        },
      ]);
    });
  });

  it('refuses purges without the token', async () => {
    const stranger = createProvider({ type: 'varnish', urls: [varnish.url], token: 'another-token-for-it' });
    const request = { kind: 'everything', values: [], soft: false } as const;
    await expect(stranger.purge(request, AbortSignal.timeout(10_000))).rejects.toMatchObject({
      code: 'CDN_PROVIDER_UNAUTHORIZED',
      message: expect.not.stringContaining('another-token'),
    });
    expect((await fetch(`${varnish.url}/kept`, { method: 'PURGE' })).status).toBe(403);
  });
});
