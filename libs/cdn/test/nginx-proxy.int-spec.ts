import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as ask,
  type RequestOptions,
  type Server,
} from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { surrogateHeaders } from '../src/invalidation/surrogate-keys.js';
import { renderNginxProxy } from '../src/nginx/proxy-configuration.js';
import { createProvider } from '../src/providers/create-provider.js';
import { type PurgeRequest } from '../src/providers/purge-provider.js';
import { type RunningServer } from '../src/testing/index.js';
import { startTestNginx } from './support/nginx.js';

const isWrite = (method = 'GET') => method !== 'GET' && method !== 'HEAD';
const KEPT: Record<string, string> = { 'cache-control': 'public, max-age=600' };

describe('nginx with the generated configuration as a caching proxy', () => {
  let folder: string;
  let origin: Server;
  let nginx: RunningServer;
  /** Headers of the next answers by path; each answer's body counts the requests that came through. */
  const headers = new Map<string, Record<string, string>>();
  const seen: { url: string; headers: IncomingHttpHeaders }[] = [];
  let gate: Promise<void> | undefined;
  /** The answer to the next writes; its body says how many bytes have come. */
  let written: { status: number; headers: Record<string, string> };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-nginx-'));
    origin = createServer((request, response) => {
      seen.push({ url: request.url ?? '', headers: request.headers });
      const count = String(seen.length);
      let bodyBytes = 0;
      request.on('data', (chunk: Buffer) => (bodyBytes += chunk.length));
      const read = isWrite(request.method) ? once(request, 'end') : Promise.resolve();
      void Promise.all([gate, read]).then(() => {
        if (isWrite(request.method))
          return void response.writeHead(written.status, written.headers).end(`${bodyBytes}`);
        const own = headers.get(request.url ?? '') ?? KEPT;
        const isKnown = own['etag'] !== undefined && request.headers['if-none-match'] === own['etag'];
        response.writeHead(isKnown ? 304 : 200, own).end(isKnown ? undefined : count);
      });
    }).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const { port } = origin.address() as AddressInfo;
    nginx = await startTestNginx(join(folder, 'nginx'), (base) =>
      renderNginxProxy({
        ...base,
        upstreams: [`127.0.0.1:${port}`],
        accessLog: join(folder, 'access.log'),
        cache: { folder: join(folder, 'cache') },
      }),
    );
  }, 60_000);
  afterAll(async () => {
    await nginx?.stop();
    origin?.closeAllConnections();
    origin?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const get = async (path: string, its: Record<string, string> = {}) => {
    const response = await fetch(`${nginx.url}${path}`, { headers: its });
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  const statusOf = async (path: string, its?: Record<string, string>) =>
    (await get(path, its)).headers.get('cache-status');
  const purge = (request: Partial<PurgeRequest> & Pick<PurgeRequest, 'kind'>) =>
    createProvider({ type: 'nginx-cache', folder: join(folder, 'cache') }).purge(
      { values: [], soft: false, ...request },
      AbortSignal.timeout(10_000),
    );

  it('keeps what it may, and says so', async () => {
    expect(await statusOf('/kept')).toBe('nginx; fwd=miss');
    expect(await statusOf('/kept')).toBe('nginx; hit');
  });

  it.each([
    ['CDN-Cache-Control: no-store', { ...KEPT, 'cdn-cache-control': 'no-store' }],
    ['Surrogate-Control: no-store', { ...KEPT, 'surrogate-control': 'no-store' }],
    ['CDN-Cache-Control: private', { ...KEPT, 'cdn-cache-control': 'max-age=5, private' }],
    ['CDN-Cache-Control: no-cache', { ...KEPT, 'cdn-cache-control': 'no-cache' }],
    ['Vary: *', { ...KEPT, vary: 'accept-encoding, *' }],
    ['an Age', { ...KEPT, age: '5' }],
    ['private', { 'cache-control': 'private, max-age=600' }],
    ['a cookie', { ...KEPT, 'set-cookie': 'a=1' }],
  ])('does not keep what has %s', async (name, its) => {
    const path = `/refused/${encodeURIComponent(name)}`;
    headers.set(path, its);
    expect(await statusOf(path)).toBe('nginx; fwd=miss');
    expect(await statusOf(path)).toBe('nginx; fwd=miss');
  });

  it('passes on conditions and ranges of who has a credential, and keeps nothing', async () => {
    for (const credential of ['authorization', 'x-api-key']) {
      const its = { [credential]: 'me', range: 'bytes=0-0', 'if-none-match': '"a"' };
      const before = seen.length;
      for (let turn = 0; turn < 2; turn++) expect(await statusOf('/mine', its)).toBeNull();
      expect(seen.slice(before)).toMatchObject([{ headers: its }, { headers: its }]);
    }
    expect(await statusOf('/mine')).toBe('nginx; fwd=miss');
  });

  it('asks once for what many want at the same time', async () => {
    const open = Promise.withResolvers<void>();
    gate = open.promise;
    const before = seen.length;
    const answers = Array.from({ length: 20 }, () => get('/wanted'));
    while (seen.length === before) await new Promise(setImmediate);
    open.resolve();
    gate = undefined;
    const bodies = (await Promise.all(answers)).map((it) => it.body);
    expect(new Set(bodies).size).toBe(1);
    expect(seen.length).toBe(before + 1);
  });

  describe('after a write', () => {
    const write = async (method: string, path: string, its: Partial<typeof written> = {}, body = 'abc') => {
      written = { status: 200, headers: {}, ...its };
      const response = await fetch(`${nginx.url}${path}`, { method, body });
      return { status: response.status, text: await response.text() };
    };
    /** What is kept is forgotten after the answer, not with it. */
    const untilForgotten = async (path: string) => {
      while ((await statusOf(path)) === 'nginx; hit') await new Promise(setImmediate);
    };
    const keep = async (...paths: string[]) => {
      for (const path of paths) while ((await statusOf(path)) !== 'nginx; hit');
    };

    it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH'])(
      '%s: forgets what it was sent to',
      async (method) => {
        const path = `/written/${method}?a=b`;
        await keep(path, '/written/other');
        expect(await write(method, path)).toEqual({ status: 200, text: '3' });
        await untilForgotten(path);
        expect(await statusOf(path)).toBe('nginx; hit');
        expect(await statusOf('/written/other')).toBe('nginx; hit');
      },
    );

    it('forgets what the answer names on the same host, and there alone', async () => {
      const { host } = new URL(nginx.url);
      await keep('/named/1', '/named/2?x=1', '/named/3', '/named/4', '/named/5');
      await write('POST', '/named/all', {
        status: 201,
        headers: { location: '/named/1', 'content-location': `http://${host}/named/2?x=1` },
      });
      await untilForgotten('/named/1');
      await untilForgotten('/named/2?x=1');
      await write('POST', '/named/all', {
        headers: {
          location: 'http://another.example/named/3',
          'content-location': '//another.example/named/4',
        },
      });
      // Each write is over before the next one on its connection, and this one tells when.
      await write('POST', '/named/all', { headers: { location: '/named/5' } });
      await untilForgotten('/named/5');
      expect([await statusOf('/named/3'), await statusOf('/named/4')]).toEqual(['nginx; hit', 'nginx; hit']);
    });

    it('keeps what it has when the write has failed', async () => {
      await keep('/failed', '/succeeded');
      for (const status of [400, 404, 409, 500])
        expect((await write('PUT', '/failed', { status })).status).toBe(status);
      await write('PUT', '/succeeded');
      await untilForgotten('/succeeded');
      expect(await statusOf('/failed')).toBe('nginx; hit');
    });

    it('passes large bodies on, and logs what the client asked and got', async () => {
      expect(await write('PUT', '/large', { status: 201 }, 'x'.repeat(5_000_000))).toEqual({
        status: 201,
        text: '5000000',
      });
      const lines = async () =>
        (await readFile(join(folder, 'access.log'), 'utf8'))
          .trim()
          .split('\n')
          .map((it) => JSON.parse(it) as object);
      while (!(await lines()).some((it) => 'uri' in it && it.uri === '/large'))
        await new Promise(setImmediate);
      const own = (await lines()).filter((it) => 'uri' in it && it.uri === '/large');
      expect(own).toMatchObject([{ method: 'PUT', uri: '/large', status: 201, cache: '' }]);
    });

    it.each<[string, RequestOptions]>([
      ['from elsewhere', { localAddress: '127.0.0.2' }],
      ['forwarded by another proxy', { headers: { 'X-Forwarded-For': '192.0.2.1' } }],
    ])('lets nobody make it forget: %s', async (_, options) => {
      await keep('/forget-me');
      const { hostname: host, host: name, port } = new URL(nginx.url);
      const headers = { ...options.headers, 'X-Forget-Key': `http ${name} /forget-me` };
      const request = ask({ ...options, host, port, path: '/nginx-forget', headers });
      const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
      response.resume();
      expect(response.statusCode).toBe(404);
      expect(await statusOf('/forget-me')).toBe('nginx; hit');
    });

    it('forgets nothing when it is told so', async () => {
      const own = join(folder, 'remembering');
      const remembering = await startTestNginx(own, (base) => {
        const { port } = origin.address() as AddressInfo;
        const cache = { folder: join(own, 'cache') };
        return renderNginxProxy({ ...base, upstreams: [`127.0.0.1:${port}`], cache, forgetWritten: false });
      });
      try {
        written = { status: 200, headers: {} };
        const its = async (method: string) =>
          (await fetch(`${remembering.url}/a`, { method })).headers.get('cache-status');
        expect([await its('GET'), await its('PUT'), await its('GET')]).toEqual([
          'nginx; fwd=miss',
          null,
          'nginx; hit',
        ]);
      } finally {
        await remembering.stop();
      }
    });
  });

  it('leaves the time of an answer as it was, and takes a later date of the client for the same', async () => {
    const modified = 'Fri, 02 Jan 2026 03:04:05 GMT';
    headers.set('/dated', { ...KEPT, date: modified, 'last-modified': modified, etag: '"a"' });
    await get('/dated');
    const answer = await get('/dated');
    expect([answer.headers.get('cache-status'), answer.headers.get('date')]).toEqual([
      'nginx; hit',
      modified,
    ]);
    const later = { 'if-modified-since': 'Sat, 03 Jan 2026 00:00:00 GMT' };
    expect((await get('/dated', later)).status).toBe(304);
    expect((await get('/dated', { ...later, 'if-none-match': '"a"' })).status).toBe(304);
    expect((await get('/dated', { ...later, 'if-none-match': '"b"' })).status).toBe(200);
  });

  it('hides the figures, answers for its own health, and hands on a harmless request id', async () => {
    expect((await get('/metrics')).status).toBe(404);
    expect((await get('/nginx-health')).body).toBe('ok');
    await get('/id-1', { 'x-request-id': 'my-own-request' });
    expect(seen.at(-1)?.headers['x-request-id']).toBe('my-own-request');
    await get('/id-2', { 'x-request-id': 'no good' });
    expect(seen.at(-1)?.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  it('loses by a purge what is meant, in every variant, and nothing else', async () => {
    const varied = { ...KEPT, vary: 'Accept-Language', ...surrogateHeaders(['file:1', 'all']) };
    headers.set('/p/varied', varied);
    headers.set('/p/a?x=1', { ...KEPT, ...surrogateHeaders(['file:11']) });
    const requests: [string, Record<string, string>?][] = [
      ['/p/varied', { 'accept-language': 'de' }],
      ['/p/varied', { 'accept-language': 'en' }],
      ['/p/a'],
      ['/p/a?x=1'],
      ['/other'],
    ];
    const missedAfter = async (request: Parameters<typeof purge>[0]) => {
      for (const it of requests) await get(...it);
      for (const it of requests) expect(await statusOf(...it)).toBe('nginx; hit');
      await purge(request);
      const missed: number[] = [];
      for (const [index, it] of requests.entries())
        if ((await statusOf(...it)) === 'nginx; fwd=miss') missed.push(index);
      return missed;
    };
    expect(await missedAfter({ kind: 'path', values: ['/p/varied'] })).toEqual([0, 1]);
    expect(await missedAfter({ kind: 'path', values: ['/p/a?x=1'] })).toEqual([3]);
    expect(await missedAfter({ kind: 'tag', values: ['file:1'] })).toEqual([0, 1]);
    expect(await missedAfter({ kind: 'wildcard', values: ['/p/a*'] })).toEqual([2, 3]);
    expect(await missedAfter({ kind: 'everything' })).toEqual([0, 1, 2, 3, 4]);
  });

  it('says that a cache folder is not there, and keeps the purge', async () => {
    const provider = createProvider({ type: 'nginx-cache', folder: join(folder, 'none') });
    const request = { kind: 'everything', values: [], soft: false } as const;
    await expect(provider.purge(request, AbortSignal.timeout(10_000))).rejects.toMatchObject({
      code: 'CDN_PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('ENOENT'),
    });
  });

  // The last one: the origin is gone after it.
  it('answers with problem details when the origin is away', async () => {
    origin.closeAllConnections();
    origin.close();
    await once(origin, 'close');
    const answer = await get('/never-seen');
    expect(answer).toMatchObject({ status: 503 });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'API_UNAVAILABLE' });
    expect(await statusOf('/other')).toBe('nginx; hit');
  });
});
