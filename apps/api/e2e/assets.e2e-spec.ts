import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildRelease } from '@peregrine/cdn';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platform } from './support/platform.js';

const SCRIPT = 'export const answer = 42;\n'.repeat(200);

describe('assets of the api', () => {
  let platform: Platform;
  let folder: string;
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(platform.url + path, { headers, method, redirect: 'manual' });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-e2e-assets-'));
    await writeFile(join(folder, 'app.js'), SCRIPT);
    await buildRelease({ source: folder, brotliQuality: 4 });
    platform = await Platform.start({
      workers: 0,
      env: {
        CDN_ROOT: folder,
        CDN_BASE_URL: 'https://cdn.example.com',
        CDN_EDGE_LOG: join(folder, '.edge.log'),
      },
    });
  }, 60_000);
  afterAll(async () => {
    await platform?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('names them in the manifest, and serves them under these names without a key', async () => {
    const { status, body } = await platform.request('GET', '/cdn/manifest');
    expect(status).toBe(200);
    expect(body.liveReleases).toEqual([{ id: body.releaseId, publishedAt: expect.any(String) }]);
    const { url, integrity } = body.files['app.js'];
    expect(url).toMatch(/^https:\/\/cdn\.example\.com\/static\/app\.[0-9a-f]{12}\.js$/);
    expect(integrity).toMatch(/^sha384-/);
    const answer = await get(new URL(url as string).pathname, { 'Accept-Encoding': 'br' });
    expect(answer.headers.get('content-encoding')).toBe('br');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('x-request-id')).toBeTruthy();
    expect(await answer.text()).toBe(SCRIPT);
    expect((await platform.request('GET', '/cdn/manifest', { key: '' })).status).toBe(401);
  });

  it('answers conditions, and what is not there as the api does', async () => {
    const { headers } = await get('/static/app.js');
    expect((await get('/static/app.js', { 'If-None-Match': headers.get('etag') ?? '' })).status).toBe(304);
    expect((await get('/static/app.js', {}, 'DELETE')).status).toBe(405);
    const missing = await get('/static/none.js');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: 'NOT_FOUND' });
    expect((await get('/static/.cdn/releases/')).status).toBe(404);
    expect((await get('/static/..%2f..%2fpackage.json')).status).toBe(403);
  });

  it('has the description of the API as a page, through the same origin', async () => {
    expect((await get('/docs')).headers.get('location')).toBe('/docs/');
    const page = await get('/docs/');
    expect(await page.text()).toContain('swagger-ui-bundle.js');
    expect(page.headers.get('vary')).toBe('Accept-Encoding');
    const bundle = await get('/docs/swagger-ui-bundle.js', { 'Accept-Encoding': 'br' });
    expect(bundle.headers.get('content-encoding')).toBe('br');
    await bundle.arrayBuffer();
    const initializer = await get('/docs/swagger-initializer.js');
    expect(await initializer.text()).toContain('/docs-json');
    const etag = initializer.headers.get('etag') ?? '';
    expect((await get('/docs/swagger-initializer.js', { 'If-None-Match': etag })).status).toBe(304);
  });

  it('tells how many answers came from memory', async () => {
    const { body } = await platform.request('GET', '/metrics');
    expect(body).toMatch(/cdn_cache_hit_ratio\{[^}]*prefix="\/static"[^}]*source="origin"[^}]*\} 0\.\d+/);
    expect(body).toMatch(/cdn_saved_bytes_total\{[^}]*prefix="\/docs"[^}]*\} \d{5,}/);
  });

  it('has the hit ratio of the edge in front as soon as there is one', async () => {
    await writeFile(join(folder, '.edge.log'), '{"cache":"HIT","status":200,"bytes":100}\n');
    const metrics = async () => (await platform.request('GET', '/metrics')).body as string;
    while (!/^cdn_cache_hit_ratio\{[^}]*source="nginx"[^}]*\} 1$/m.test(await metrics()));
    expect(await metrics()).not.toMatch(/^cdn_cache_hit_ratio\{[^}]*source="origin"/m);
  });
});

describe('assets of an api without compression and without an asset folder', () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await Platform.start({ workers: 0, env: { CDN_COMPRESSION_ENABLED: 'false' } });
  }, 60_000);
  afterAll(() => platform?.stop());

  it('serves the demo page, as it is', async () => {
    const page = await fetch(`${platform.url}/static/`, { headers: { 'Accept-Encoding': 'br, gzip' } });
    expect(await page.text()).toContain('<title>Peregrine</title>');
    expect(page.headers.get('content-encoding')).toBeNull();
    expect(page.headers.get('cache-control')).toBe('public, max-age=0, s-maxage=3600, must-revalidate');
    for (const file of ['demo.css', 'demo.js', 'mark.svg']) {
      expect((await fetch(`${platform.url}/static/${file}`)).status).toBe(200);
    }
    expect((await platform.request('GET', '/cdn/manifest')).body).toEqual({
      releaseId: null,
      files: {},
      liveReleases: [],
    });
  });
});
