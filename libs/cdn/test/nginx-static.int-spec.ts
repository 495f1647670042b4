import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CdnOptionsError } from '../src/cdn.errors.js';
import { renderNginxStatic } from '../src/nginx/static-configuration.js';
import { Origin } from '../src/origin/origin.js';
import { PolicyTable } from '../src/policy/policy-table.js';
import { type RunningServer } from '../src/testing/index.js';
import { startTestNginx } from './support/nginx.js';

const FILES = [
  ...[
    'index.html',
    'about.html',
    'app.js',
    'app.3f2a1b9c.js',
    'index-BfIB5qxP.js',
    'site.css',
    'sw.js',
    'data.json',
  ],
  ...[
    'logo.png',
    'logo.3f2a1b9c.png',
    'drawing.svg',
    'font.woff2',
    'notes.txt',
    'LICENSE',
    'film.mp4',
    'm.wasm',
  ],
  ...['unknown.zzz', 'deep/er/index.html', 'deep/site.webmanifest', 'a b.txt', 'ä.txt', '.hidden/app.js'],
];
const COMPRESSED = /\.(?:html|js|css|json|svg|txt)$/;
const MODIFIED = new Date('2026-01-02T03:04:05Z');
const PREFIX = '/static';

/**
 * What cannot be equal: who answers, when, on which connection; the entity tag, which nginx makes of time and size; and
 * what nginx has in its own pages. A 304 of nginx repeats Last-Modified, its 206 does not repeat Accept-Ranges, and it
 * has no ranges of a compressed answer.
 */
const OWN = new Set(['server', 'date', 'connection', 'keep-alive', 'etag']);

describe('nginx with the generated configuration for static files', () => {
  let folder: string;
  let origin: Server;
  let originUrl: string;
  let nginx: RunningServer;
  const table = new PolicyTable({ types: { javascript: { headers: { 'Timing-Allow-Origin': '*' } } } });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-nginx-'));
    const root = join(folder, 'root');
    for (const file of FILES) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), `${file} `.repeat(200));
      if (COMPRESSED.test(file)) await writeFile(join(root, `${file}.gz`), gzipSync(`${file} `.repeat(200)));
      for (const it of [file, `${file}.gz`])
        await utimes(join(root, it), MODIFIED, MODIFIED).catch(() => undefined);
    }
    await writeFile(join(folder, 'secret.txt'), 'secret');
    await symlink(join(folder, 'secret.txt'), join(root, 'link.txt'));
    const served = new Origin({ root, prefix: PREFIX, policy: table, compression: { onTheFly: false } });
    origin = createServer(served.listener).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    nginx = await startTestNginx(join(folder, 'nginx'), (base) =>
      renderNginxStatic(table, { ...base, root, prefix: PREFIX }),
    );
  }, 60_000);
  afterAll(async () => {
    await nginx?.stop();
    origin?.closeAllConnections();
    origin?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Not fetch, which adds headers and unpacks. */
  const ask = (server: string, path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
      const asked = request(`${server}${path}`, { method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0, headersDistinct } = response;
          const kept = Object.entries(headersDistinct).filter(([name]) => !OWN.has(name));
          resolve({
            status,
            headers: Object.fromEntries(kept),
            body: Buffer.concat(chunks).toString('latin1'),
          });
        });
      });
      asked.on('error', reject).end();
    });
  const both = async (path: string, headers?: Record<string, string>, method?: string) => {
    const [own, generated] = await Promise.all([
      ask(originUrl, `${PREFIX}/${path}`, headers, method),
      ask(nginx.url, `${PREFIX}/${path}`, headers, method),
    ]);
    return { own, generated };
  };

  const visible = FILES.filter((it) => !it.startsWith('.')).map((it) =>
    it.split('/').map(encodeURIComponent).join('/'),
  );

  it.each([
    ['identity', {}],
    ['gzip', { 'accept-encoding': 'gzip' }],
    ['no gzip', { 'accept-encoding': 'gzip;q=0, identity' }],
    ['a range', { range: 'bytes=10-19' }],
    ['an end', { range: 'bytes=-5' }],
  ] as const)('answers every file header for header as the origin does: %s', async (_, headers) => {
    for (const path of visible) {
      const { own, generated } = await both(path, headers);
      const isWhole = own.status === 200 && own.headers['content-encoding'] === undefined;
      if (!isWhole) delete own.headers['accept-ranges'];
      expect({ path, ...generated }).toEqual({ path, ...own });
    }
  });

  it('refuses a range beyond the end as the origin does, with no header twice', async () => {
    for (const path of visible) {
      const { own, generated } = await both(path, { range: 'bytes=999999-' });
      expect([generated.status, generated.headers['content-range']]).toEqual([
        416,
        own.headers['content-range'],
      ]);
      for (const values of Object.values(generated.headers)) expect(values).toHaveLength(1);
    }
  });

  it('answers HEAD, and the index of a folder, as the origin does', async () => {
    for (const [path, method] of [
      ['app.js', 'HEAD'],
      ['', 'GET'],
      ['deep/er/', 'GET'],
    ] as const) {
      const { own, generated } = await both(path, {}, method);
      expect({ path, ...generated }).toEqual({ path, ...own });
    }
  });

  it('answers 304 with what the origin sends', async () => {
    for (const path of visible) {
      const headers = { 'if-modified-since': MODIFIED.toUTCString() };
      const { own, generated } = await both(path, headers);
      const { 'last-modified': _its, ...rest } = generated.headers;
      expect({ path, status: generated.status, headers: rest }).toEqual({
        path,
        status: 304,
        headers: own.headers,
      });
    }
  });

  it.each([
    ['a file that is not there', 'none.js', 'GET', 404],
    ['a dotfile', '.hidden/app.js', 'GET', 404],
    ['a compressed neighbour', 'app.js.gz', 'GET', 404],
    ['an upload', 'app.js', 'POST', 405],
  ])('refuses %s as the origin does', async (_, path, method, status) => {
    const { own, generated } = await both(path, {}, method);
    expect(generated.status).toBe(status);
    const {
      allow,
      'cache-control': caching,
      'content-type': type,
      'x-content-type-options': sniffing,
    } = own.headers;
    expect(own.status).toBe(status);
    expect(generated.headers).toMatchObject({
      ...(allow !== undefined && { allow }),
      ...{ 'cache-control': caching, 'content-type': type, 'x-content-type-options': sniffing },
    });
    expect(generated.body).toBe(own.body);
  });

  it('gives nothing outside of the folder', async () => {
    for (const path of [
      'link.txt',
      '../secret.txt',
      '%2e%2e/secret.txt',
      '..%2fsecret.txt',
      '/etc/passwd',
      '%00',
    ]) {
      const { generated } = await both(path);
      expect(generated.status).toBeGreaterThanOrEqual(400);
      expect(generated.body).not.toContain('secret');
    }
    expect((await ask(nginx.url, '/app.js')).status).toBe(404);
  });

  it('is refused when nginx could not send it, or another directive would hide in it', () => {
    const dollars = new PolicyTable({ types: { css: { headers: { 'X-Price': '5 $' } } } });
    expect(() => renderNginxStatic(dollars, { root: '/srv' })).toThrow(CdnOptionsError);
    for (const root of ['relative', '/srv; }', '/srv"', '/s rv', '/$srv']) {
      expect(() => renderNginxStatic(table, { root })).toThrow(/root/);
    }
  });
});
