import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renderVarnishVcl } from '@peregrine/cdn';
import { type RunningServer, startVarnish } from '@peregrine/cdn/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platform } from './support/platform.js';
import { Relay } from './support/relay.js';
import { until } from './support/until.js';

const TOKEN = 'a-token-of-the-end-to-end-tests';

/** A line of the lists, as far as the tests look at it. */
interface Listed {
  kind: string;
  value: string;
  state: string;
  requests: number;
  attempts: number;
  error: string;
}

describe('a real Varnish in front of the api', () => {
  let folder: string;
  let relay: Relay;
  let platform: Platform;
  let varnish: RunningServer;
  let workspace: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-e2e-varnish-'));
    relay = await Relay.start();
    varnish = await startEdge('varnish');
    platform = await Platform.start({
      env: {
        CDN_PROVIDER: 'varnish',
        CDN_SERVER_URLS: varnish.url,
        CDN_API_TOKEN: TOKEN,
        CDN_PROBE_URL: varnish.url,
        CDN_API_TTL_SECONDS: '600',
      },
    });
    relay.target = platform.url;
    workspace = await platform.createWorkspace();
  }, 120_000);
  afterAll(async () => {
    await platform?.stop();
    await varnish?.stop();
    relay?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Its api is the one behind the relay. */
  const startEdge = (name: string) =>
    startVarnish(
      join(folder, name),
      renderVarnishVcl({ origin: { host: '127.0.0.1', port: relay.port }, token: TOKEN }),
    );
  const admin = (method: string, path: string, body?: unknown) =>
    platform.request(method, path, { key: platform.adminKey, ...(body === undefined ? {} : { body }) });
  const load = async (fileId: string, key = platform.apiKey) => {
    const response = await fetch(`${varnish.url}/api/v1/workspaces/${workspace}/files/${fileId}/content`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const status = response.headers.get('cache-status') ?? '';
    return { status: response.status, body: await response.text(), isHit: status.endsWith('varnish; hit') };
  };
  const kept = (fileId: string, key?: string) => until(async () => (await load(fileId, key)).isHit, 30_000);
  const pending = async () => (await admin('GET', '/cdn/invalidations?limit=1000')).body.items as Listed[];
  const ended = async () =>
    (await admin('GET', '/cdn/invalidations?state=ended&limit=1000')).body.items as Listed[];
  const allDone = () => until(async () => (await pending()).length === 0, 30_000);
  /** Both the upload and the extraction that follows invalidate the file; then nothing happens to it any more. */
  const settled = (fileId: string, uploads = 1) =>
    until(async () => {
      const [open, done] = [await pending(), await ended()];
      const its = [...open, ...done].filter((it) => it.value === `file:${fileId}`);
      return open.length === 0 && its.reduce((sum, it) => sum + it.requests, 0) >= 2 * uploads;
    }, 30_000);

  it('keeps a content for one API key, which the headers of the api say', async () => {
    const { file } = await platform.upload(workspace, 'kept.txt', 'kept');
    const { headers } = await platform.request('GET', `/workspaces/${workspace}/files/${file.id}/content`);
    expect(headers.get('surrogate-key')?.split(' ').slice(0, 2)).toEqual([
      `file:${file.id}`,
      `workspace:${workspace}`,
    ]);
    expect(headers.get('cache-tag')).toBe(headers.get('surrogate-key')?.replaceAll(' ', ','));
    expect(headers.get('cdn-cache-control')).toBe('public, max-age=600');
    expect(headers.get('cache-control')).toBe('private, no-cache');
    await kept(file.id);
    const stranger = await platform.createKey(['content:read']);
    expect((await load(file.id, stranger)).status).toBe(404);
  });

  it('says whether an answer came from its own cache', async () => {
    const { file } = await platform.upload(workspace, 'status.txt', 'status');
    const path = `/workspaces/${workspace}/files/${file.id}/content`;
    await settled(file.id);
    const statusOf = async () => (await platform.request('GET', path)).headers.get('cache-status');
    expect(await statusOf()).toBe('peregrine; fwd=miss');
    expect(await statusOf()).toBe('peregrine; hit');
    const known = await platform.request('GET', path, { headers: { 'if-none-match': `"${file.sha256}"` } });
    expect(known.status).toBe(304);
    expect(known.headers.get('surrogate-key')).toContain(`file:${file.id}`);
    const search = await platform.request('GET', `/workspaces/${workspace}/search?q=nothing`);
    expect(search.headers.get('surrogate-key')).toContain(`search:${workspace}`);
    expect(search.headers.has('cdn-cache-control')).toBe(false);
  });

  it('loses a content with the upload of another, and nothing else', async () => {
    const { file } = await platform.upload(workspace, 'changed.txt', 'before');
    const other = (await platform.upload(workspace, 'unchanged.txt', 'unchanged')).file;
    for (const it of [file, other]) {
      await settled(it.id);
      await kept(it.id);
    }
    expect((await load(file.id)).body).toBe('before');
    await platform.upload(workspace, 'changed.txt', 'after');
    await until(async () => (await load(file.id)).body === 'after', 30_000);
    await settled(file.id, 2);
    expect((await load(other.id)).isHit).toBe(true);
    expect(await ended()).toContainEqual(
      expect.objectContaining({ kind: 'tag', value: `file:${file.id}`, state: 'done' }),
    );
  });

  it('loses everything with a flush of the cache', async () => {
    const { file } = await platform.upload(workspace, 'flushed.txt', 'flushed');
    await settled(file.id);
    await kept(file.id);
    await admin('POST', '/meta/cache/flush');
    await until(async () => !(await load(file.id)).isHit, 30_000);
  });

  it('answers a revoked key no longer', async () => {
    const { file } = await platform.upload(workspace, 'revoked.txt', 'revoked');
    const created = await admin('POST', '/api-keys', {
      name: 'short',
      scopes: ['content:read'],
      workspaceIds: [workspace],
    });
    const { key, id } = created.body as { key: string; id: string };
    await kept(file.id, key);
    expect((await admin('DELETE', `/api-keys/${id}`)).status).toBe(204);
    await until(async () => (await load(file.id, key)).status === 401, 30_000);
  });

  it('proves a purge of a path that the probe may see, and clears the own cache with a tag', async () => {
    const { file } = await platform.upload(workspace, 'asked.txt', 'asked');
    await settled(file.id);
    await kept(file.id);
    const path = `/api/v1/workspaces/${workspace}/files/${file.id}/content`;
    const queued = await admin('POST', '/cdn/invalidations', {
      paths: [path, '/docs-json'],
      tags: [`file:${file.id}`],
    });
    expect(queued).toMatchObject({
      status: 202,
      body: {
        items: [
          { provider: 'varnish', kind: 'path', value: path, state: 'pending' },
          { provider: 'varnish', kind: 'path', value: '/docs-json' },
          { provider: 'varnish', kind: 'tag', value: `file:${file.id}` },
        ],
      },
    });
    const direct = await platform.request('GET', path.slice('/api/v1'.length));
    expect(direct.headers.get('cache-status')).toBe('peregrine; fwd=miss');
    await allDone();
    const done = (value: string, verified: boolean | null) =>
      expect.objectContaining({ kind: 'path', value, state: 'done', sentAs: 'path', verified });
    // The probe has no API key.
    expect(await ended()).toEqual(expect.arrayContaining([done(path, null), done('/docs-json', true)]));
    expect((await load(file.id)).isHit).toBe(false);
  });

  it('keeps purges over a killed worker and a Varnish that is away, and sends them then', async () => {
    const { file } = await platform.upload(workspace, 'survives.txt', 'before');
    await allDone();
    await varnish.stop();
    await platform.upload(workspace, 'survives.txt', 'after');
    await until(
      async () => (await pending()).some((it) => it.attempts > 0 && it.error.includes('varnish')),
      30_000,
    );
    const metrics = String((await platform.request('GET', '/metrics')).body);
    expect(Number(/^cdn_purge_pending\{provider="varnish"\} (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
    expect(
      Number(/^cdn_purge_oldest_age_seconds\{provider="varnish"\} (\S+)$/m.exec(metrics)?.[1]),
    ).toBeGreaterThan(0);
    await platform.workers[0]?.stop('SIGKILL');

    // Another one, to which the old purges matter as much: it is what the settings name.
    const back = await startEdge('another');
    try {
      await platform.spawn('worker', { CDN_SERVER_URLS: back.url, CDN_PROBE_URL: back.url }).listening();
      await allDone();
      expect(await ended()).toContainEqual(
        expect.objectContaining({ kind: 'tag', value: `file:${file.id}`, state: 'done' }),
      );
    } finally {
      await back.stop();
    }
  }, 120_000);

  it.each([
    [{}, 'body'],
    [{ paths: ['no-slash'] }, 'body.paths.0'],
    [{ wildcards: ['/a*b'] }, 'body.wildcards.0'],
    [{ tags: [] }, 'body'],
    [{ everything: false }, 'body.everything'],
    [{ tags: ['a'], softly: true }, 'body'],
  ])('refuses %j as a problem', async (body, field) => {
    const answer = await admin('POST', '/cdn/invalidations', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(answer.body.errors[0].field).toBe(field);
    expect((await platform.request('POST', '/cdn/invalidations', { body })).status).toBe(403);
  });

  it('knows its providers, and prints the configuration of nginx', async () => {
    const unknown = await admin('POST', '/cdn/invalidations', { tags: ['a'], providers: ['fastly'] });
    expect(unknown).toMatchObject({ status: 400, body: { code: 'CDN_UNKNOWN_PROVIDER' } });
    const proxy = await admin('GET', '/cdn/nginx.conf');
    expect(proxy.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(proxy.body).toContain('proxy_cache_path');
    expect((await admin('GET', '/cdn/nginx.conf?variant=static&root=/srv/files')).body).toContain(
      '/srv/files',
    );
    for (const query of ['variant=static', 'variant=static&root=a;b', 'variant=other']) {
      expect((await admin('GET', `/cdn/nginx.conf?${query}`)).status).toBe(400);
    }
    expect((await platform.request('GET', '/cdn/nginx.conf')).status).toBe(403);
  });
});

describe('with the queue on PostgreSQL, in the transaction of the change', () => {
  it('purges what an upload replaced, and what a revoked key may see no longer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-e2e-nginx-cache-'));
    // An empty cache folder: every purge of it succeeds.
    const platform = await Platform.start({
      redis: false,
      env: { CDN_PROVIDER: 'nginx-cache', CDN_CACHE_FOLDER: folder },
    });
    try {
      const workspace = await platform.createWorkspace();
      const { file } = await platform.upload(workspace, 'a.txt', 'before');
      await platform.upload(workspace, 'a.txt', 'after');
      const { body } = await platform.request('POST', '/api-keys', {
        key: platform.adminKey,
        body: { name: 'short', scopes: ['content:read'], workspaceIds: [] },
      });
      await platform.request('DELETE', `/api-keys/${body.id}`, { key: platform.adminKey });
      await until(async () => {
        const path = '/cdn/invalidations?state=ended&limit=1000';
        const { items } = (await platform.request('GET', path, { key: platform.adminKey })).body;
        const done = (items as { value: string; state: string }[]).filter((it) => it.state === 'done');
        return [`file:${file.id}`, `api-key:${body.id}`].every((tag) => done.some((it) => it.value === tag));
      });
    } finally {
      await platform.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
