import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { Platform } from './support/platform.js';

describe.each([
  ['with Redis', true],
  ['on PostgreSQL alone', false],
])('content %s', (_, redis) => {
  let platform: Platform;
  let workspace: string;

  beforeAll(async () => {
    platform = await Platform.start({ redis });
    workspace = await platform.createWorkspace();
  }, 120_000);
  afterAll(() => platform?.stop());

  const content = (fileId: string, headers: Record<string, string> = {}, method = 'GET') =>
    platform.request(method, `/workspaces/${workspace}/files/${fileId}/content`, { headers });

  it('makes, lists, renames and deletes workspaces', async () => {
    const created = await platform.request('POST', '/workspaces', { body: { name: '  notes ' } });
    expect(created).toMatchObject({ status: 201, body: { name: 'notes' } });
    const path = `/workspaces/${created.body.id}`;
    expect((await platform.request('PATCH', path, { body: { name: 'papers' } })).body.name).toBe('papers');
    expect((await platform.request('GET', path)).body.name).toBe('papers');
    expect((await platform.request('GET', '/workspaces')).body.items).toContainEqual(
      expect.objectContaining({ id: created.body.id, name: 'papers' }),
    );
    expect((await platform.request('DELETE', path)).status).toBe(204);
    expect((await platform.request('GET', path)).status).toBe(404);
  });

  it('takes identifiers in any case for the same, in the cache too', async () => {
    const shout = workspace.toUpperCase();
    const read = async (id: string, of = shout) =>
      (await platform.request('GET', `/workspaces/${of}/files/${id}/content`)).body as unknown;
    const { file } = await platform.upload(workspace, 'case.txt', 'first');
    expect([await read(file.id.toUpperCase()), await read(file.id, workspace)]).toEqual(['first', 'first']);
    await platform.upload(workspace, 'case.txt', 'second');
    expect(await read(file.id.toUpperCase())).toBe('second');
    const gone = await platform.request('DELETE', `/workspaces/${shout}/files/${file.id.toUpperCase()}`);
    expect(gone.status).toBe(204);
    const after = await platform.request('GET', `/workspaces/${workspace}/files/${file.id}/content`);
    expect(after.status).toBe(404);
  });

  it('gives back what was uploaded, byte for byte, small and large', async () => {
    for (const bytes of [
      Buffer.from('hello'),
      randomBytes(100_000),
      randomBytes(3 * 1_048_576 + 7),
      Buffer.alloc(0),
    ]) {
      const { status, file } = await platform.upload(
        workspace,
        `bytes/${bytes.length}.bin`,
        bytes,
        'application/x-test',
      );
      expect(status).toBe(201);
      const response = await fetch(
        `${platform.url}/api/v1/workspaces/${workspace}/files/${file.id}/content`,
        {
          headers: { authorization: `Bearer ${platform.apiKey}` },
        },
      );
      const received = Buffer.from(await response.arrayBuffer());
      expect(received.equals(bytes)).toBe(true);
      expect(file.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(response.headers.get('etag')).toBe(`"${file.sha256}"`);
      expect(response.headers.get('content-type')).toBe('application/x-test');
      expect(response.headers.get('x-response-time')).toMatch(/ms$/);
      expect(response.headers.get('server-timing')).toContain('total;dur=');
    }
  });

  it('answers ranges, conditional requests and HEAD, small and large', async () => {
    for (const size of [1_000, 2 * 1_048_576]) {
      const text = 'x'.repeat(size - 10) + '0123456789';
      const { file } = await platform.upload(workspace, `range/${size}.txt`, text);
      expect(await content(file.id, { range: `bytes=${size - 10}-${size - 6}` })).toMatchObject({
        status: 206,
        body: '01234',
      });
      const suffix = await content(file.id, { range: 'bytes=-3' });
      expect(suffix.body).toBe('789');
      expect(suffix.headers.get('content-range')).toBe(`bytes ${size - 3}-${size - 1}/${size}`);
      expect((await content(file.id, { range: `bytes=${size}-` })).status).toBe(416);
      expect((await content(file.id, { range: 'bytes=5-2' })).status).toBe(200);
      expect((await content(file.id, { 'if-none-match': `"x", "${file.sha256}"` })).status).toBe(304);
      expect((await content(file.id, { 'if-match': '"x"' })).status).toBe(412);
      expect((await content(file.id, { range: 'bytes=-3', 'if-range': '"old"' })).status).toBe(200);
      const head = await content(file.id, {}, 'HEAD');
      expect(head).toMatchObject({ status: 200, body: '' });
      expect(head.headers.get('content-length')).toBe(String(size));
    }
  });

  it('takes several files of one form and says of each what became of it', async () => {
    const form = new FormData();
    form.append('a', new File(['# one'], 'docs/one.md', { type: 'text/markdown' }));
    form.append('b', new File(['two'], '../two.md'));
    form.append('c', new File(['three'], 'three.txt'));
    const { status, body } = await platform.request('POST', `/workspaces/${workspace}/files?folder=form`, {
      body: form,
    });
    expect(status).toBe(207);
    expect(body.items).toMatchObject([
      { created: true, file: { path: 'form/docs/one.md', mediaType: 'text/markdown' } },
      { path: 'form/../two.md', problem: { status: 400, code: 'CONTENT_INVALID_FILE_PATH' } },
      { created: true, file: { path: 'form/three.txt' } },
    ]);
  });

  it('serves the new content right after a path was uploaded again', async () => {
    for (let revision = 1; revision <= 5; revision++) {
      const { status, file } = await platform.upload(workspace, 'again.txt', `revision ${revision}`);
      expect(status).toBe(revision === 1 ? 201 : 200);
      expect(file.revision).toBe(revision);
      expect((await content(file.id)).body).toBe(`revision ${revision}`);
    }
  });

  it('pages through the files both ways, by prefix and with chosen fields', async () => {
    const paths = Array.from({ length: 7 }, (_, index) => `list/${index}.txt`);
    for (const path of paths) await platform.upload(workspace, path, path);
    await platform.upload(workspace, 'listing_%.txt', 'not below list/');
    const list = (query: string) =>
      platform.request('GET', `/workspaces/${workspace}/files?path=list/&fields=path&limit=3${query}`);
    const first = (await list('')).body;
    const second = (await list(`&cursor=${first.nextCursor}`)).body;
    const third = (await list(`&cursor=${second.nextCursor}`)).body;
    expect([...first.items, ...second.items, ...third.items]).toEqual(paths.map((path) => ({ path })));
    expect(third.nextCursor).toBeNull();
    expect(first.previousCursor).toBeNull();
    expect((await list(`&cursor=${second.previousCursor}`)).body.items).toEqual(first.items);
    const literal = await platform.request(
      'GET',
      `/workspaces/${workspace}/files?path=${encodeURIComponent('listing_%')}`,
    );
    expect(literal.body.items).toHaveLength(1);
  });

  it('finds files by name, path and text, best first, with snippets that are safe in HTML', async () => {
    await platform.upload(workspace, 'search/falcon.md', 'a bird <script>alert("x")</script> that stoops');
    await platform.upload(workspace, 'search/other.md', 'The peregrine falcon & its "falcon" eyes < ours');
    await platform.upload(workspace, 'falcon-folder/notes.md', 'nothing of interest');
    await platform.extracted(workspace);
    const { status, body } = await platform.request('GET', `/workspaces/${workspace}/search?q=falcons`);
    expect(status).toBe(200);
    const snippets = new Map<string, string>(
      body.items.map((it: { path: string; snippet: string }) => [it.path, it.snippet]),
    );
    expect([...snippets.keys()][0]).toBe('search/falcon.md');
    expect([...snippets.keys()].sort()).toEqual([
      'falcon-folder/notes.md',
      'search/falcon.md',
      'search/other.md',
    ]);
    expect(snippets.get('search/other.md')).toContain(
      'peregrine <mark>falcon</mark> &amp; its &quot;<mark>falcon</mark>&quot; eyes &lt; ours',
    );
    expect(body.items[0].snippet).not.toContain('<script>');
    const excluded = await platform.request('GET', `/workspaces/${workspace}/search?q=falcon -eyes&limit=1`);
    expect(excluded.body.items).toHaveLength(1);
    const next = await platform.request(
      'GET',
      `/workspaces/${workspace}/search?q=falcon -eyes&limit=1&cursor=${excluded.body.nextCursor}`,
    );
    expect(next.body.items.map((it: { path: string }) => it.path)).toEqual(['falcon-folder/notes.md']);
    expect((await platform.request('GET', `/workspaces/${workspace}/search?q=the`)).body.items).toEqual([]);
  });

  it('forgets a repeated search as soon as the text behind it has changed', async () => {
    const search = async () =>
      (await platform.request('GET', `/workspaces/${workspace}/search?q=ephemeral`)).body.items
        .length as number;
    expect(await search()).toBe(0);
    const { file } = await platform.upload(workspace, 'ephemeral-a.md', 'x');
    await platform.extracted(workspace);
    expect(await search()).toBe(1);
    await platform.request('DELETE', `/workspaces/${workspace}/files/${file.id}`);
    expect(await search()).toBe(0);
  });

  it('stores equal contents once and keeps them until the last file that shares them is gone', async () => {
    const shared = randomBytes(50_000);
    const [one, two] = [
      (await platform.upload(workspace, 'shared/one.bin', shared)).file,
      (await platform.upload(workspace, 'shared/two.bin', shared)).file,
    ];
    expect(one.sha256).toBe(two.sha256);
    expect((await platform.request('DELETE', `/workspaces/${workspace}/files/${one.id}`)).status).toBe(204);
    expect((await content(one.id)).status).toBe(404);
    expect((await content(two.id, {}, 'HEAD')).status).toBe(200);
    const again = await platform.upload(workspace, 'shared/three.bin', shared);
    expect((await content(again.file.id, { range: 'bytes=0-9' })).status).toBe(206);
  });

  it('keeps a text that is not valid UTF-8 whole, says what it did, and finds the rest', async () => {
    const bytes = Buffer.concat([
      Buffer.from('wanderfalke '),
      Buffer.from([0xff, 0xfe, 0x00]).subarray(0, 2),
      Buffer.from(' ende'),
    ]);
    const { file } = await platform.upload(workspace, 'broken-utf8.txt', bytes);
    await platform.extracted(workspace);
    const { body } = await platform.request('GET', `/workspaces/${workspace}/files/${file.id}`);
    expect(body).toMatchObject({
      status: 'extracted',
      statusDetail: expect.stringContaining('not valid UTF-8'),
    });
    expect(
      (await platform.request('GET', `/workspaces/${workspace}/search?q=wanderfalke`)).body.items,
    ).toHaveLength(1);
    const response = await fetch(`${platform.url}/api/v1/workspaces/${workspace}/files/${file.id}/content`, {
      headers: { authorization: `Bearer ${platform.apiKey}` },
    });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('answers 1,000 requests at once without an error', async () => {
    const { file } = await platform.upload(workspace, 'hot.txt', 'hot');
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => content(file.id)));
    expect(answers.filter((it) => it.status !== 200 || it.body !== 'hot')).toEqual([]);
  });

  it('shows operators its figures with a recommendation, and Prometheus its metrics', async () => {
    const cache = await platform.request('GET', '/meta/cache-stats', { key: platform.adminKey });
    expect(cache.body).toMatchObject({
      status: expect.any(String),
      recommendation: expect.any(String),
      summary: {
        contentEntries: expect.any(Number),
        searchEntries: expect.any(Number),
        cacheHitRate: expect.any(Number),
      },
    });
    const metrics = await platform.request('GET', '/meta/metrics', { key: platform.adminKey });
    expect(metrics.body).toMatchObject({ recommendation: expect.any(String) });
    const { body } = await platform.request('GET', '/metrics');
    for (const name of [
      'http_request_duration_seconds_bucket',
      'cache_hits_total',
      'async_queue_size',
      'process_cpu_seconds_total',
    ]) {
      expect(body).toContain(name);
    }
  });

  it('describes itself as OpenAPI and answers its probes', async () => {
    const { body } = await platform.request('GET', '/docs-json');
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/workspaces/{workspaceId}/files',
        '/api/v1/workspaces/{workspaceId}/search',
      ]),
    );
    const operations = Object.values(
      body.paths as Record<string, Record<string, { summary?: string }>>,
    ).flatMap((it) => Object.values(it));
    expect(operations.filter((it) => !it.summary)).toEqual([]);
    expect(Object.keys(body.paths['/api/v1/workspaces'].post.responses['401'].content)).toEqual([
      'application/problem+json',
    ]);
    expect((await platform.request('GET', '/docs', { key: '' })).status).toBe(200);
    for (const probe of ['/health', '/health/live', '/health/ready', '/health/startup']) {
      expect((await platform.request('GET', probe, { key: '' })).status).toBe(200);
    }
  });
});
