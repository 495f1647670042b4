import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '@peregrine/database';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const RESTORED = 'The staging database is restored from the backup every night.';

let platform: Platform;
let workspaceId: string;
beforeAll(async () => {
  platform = await Platform.start();
  workspaceId = await platform.createWorkspace();
}, 120_000);
afterAll(() => platform?.stop());

const add = (body: Record<string, unknown>, of = workspaceId) =>
  platform.request('POST', '/memories/add', { body: { workspaceId: of, ...body } });
const query = (text: string, of = workspaceId) =>
  platform.request('POST', '/memories/query', { body: { workspaceId: of, query: text } });
const get = (path: string, headers: Record<string, string> = { 'x-workspace-id': workspaceId }) =>
  platform.request('GET', `/memories/${path}`, { headers });

describe('memories', () => {
  it('are added once, found with the reason, and remembered as used', async () => {
    const first = await add({ content: RESTORED });
    expect(first).toMatchObject({ status: 201, body: { items: [{ status: 'created' }] } });
    const again = await add({ content: `  ${RESTORED}\n` });
    const [{ id }] = first.body.items;
    expect(again).toMatchObject({ status: 200, body: { items: [{ id, status: 'existing' }] } });
    await add({ contents: ['Lunch is served in the hall at noon.', 'The hall is closed in August.'] });

    // By its words at once, by its meaning when the worker has embedded it.
    expect((await query('when is staging restored')).body.hits[0]).toMatchObject({ id, kind: 'original' });
    await until(async () => {
      const { body } = await query('when is staging restored');
      return body.hits[0].explanation.vector !== null;
    });
    const { hits, usedVector } = (await query('when is staging restored')).body;
    expect(usedVector).toBe(true);
    expect(hits[0].explanation).toMatchObject({ keyword: { share: 1 }, vector: { share: 1 } });

    // The api writes what was read after the answer.
    await until(async () => (await get(id)).body.accesses >= 3);
    expect((await get(id)).body).toMatchObject({
      content: RESTORED,
      tier: 'active',
      uses: 1,
      summarisedBy: null,
    });
    await query('the hall at noon');
    const hall = (await query('hall')).body.hits[0].id as string;
    await until(async () => (await get(`${hall}/associations`)).body.items.length > 0);
    const [pair] = (await get(`${hall}/associations?limit=1`)).body.items;
    expect(pair).toMatchObject({ times: expect.any(Number), strength: expect.any(Number) });
  }, 60_000);

  it('are merged when they say the same, and taken apart on request', async () => {
    const own = await platform.createWorkspace();
    const headers = { 'x-workspace-id': own };
    const contents = [RESTORED, RESTORED.replace('every night.', 'every night!')];
    const { items } = (await add({ contents }, own)).body;
    const ids = items.map((it: { id: string }) => it.id);
    const summary = async () =>
      (await query('staging database', own)).body.hits[0] as { id: string; kind: string; sources: string[] };
    await until(async () => (await summary()).kind === 'summary');
    const { id, sources } = await summary();
    expect(sources.toSorted()).toEqual(ids.toSorted());
    const undone = await platform.request('POST', `/memories/${id}/undo`, { headers });
    expect(undone.body.sources.toSorted()).toEqual(ids.toSorted());
    expect((await query('staging database', own)).body.hits).toHaveLength(2);
    expect(await platform.request('POST', `/memories/${ids[0]}/undo`, { headers })).toMatchObject({
      status: 409,
    });
    expect((await platform.request('DELETE', `/memories/${ids[0]}`, { headers })).status).toBe(204);
    expect((await get(ids[0], headers)).status).toBe(404);
    expect((await get('audit', headers)).body).toMatchObject({ memories: 1, summaries: 0 });
    expect((await get('bootstrap?limit=5', headers)).body.items).toMatchObject([{ id: ids[1] }]);
  }, 60_000);

  it('are seen by nobody without scope or workspace', async () => {
    const stranger = await platform.createKey(['memories:read', 'memories:write']);
    const reader = await platform.createKey(['content:read']);
    const body = { workspaceId, query: 'staging' };
    const ask = (key: string) => platform.request('POST', '/memories/query', { body, key });
    expect(await ask(stranger)).toMatchObject({ status: 404, body: { code: 'CONTENT_WORKSPACE_NOT_FOUND' } });
    expect(await ask(reader)).toMatchObject({ status: 403 });
    expect(await get('bootstrap', {})).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'workspaceId' }] },
    });
    const both = { headers: { 'x-workspace-id': randomUUID() }, body };
    expect(await platform.request('POST', '/memories/query', both)).toMatchObject({ status: 400 });
    expect(await get('bootstrap', { 'x-workspace-id': 'none' })).toMatchObject({ status: 400 });
    expect(await get(randomUUID())).toMatchObject({ status: 404, body: { code: 'MEMORIES_NOT_FOUND' } });
  });

  it.each([
    ['an empty content', { content: '' }, 400],
    ['white space', { content: ' \n ' }, 400],
    ['one byte too many', { content: 'x'.repeat(65_537) }, 400],
    ['10,000 items', { contents: Array.from({ length: 10_000 }, (_, n) => `fact ${n}`) }, 400],
    ['501 items', { contents: Array.from({ length: 501 }, (_, n) => `fact ${n}`) }, 400],
    ['one bad item', { contents: ['a good one', 'a\0b'] }, 400],
    ['no content', {}, 400],
    ['content of both kinds', { content: 'a', contents: ['b'] }, 400],
    ['an embedding of its own', { content: 'a', embedding: [Number.NaN] }, 400],
  ])('refuse %s, and store nothing', async (_, body, status) => {
    const own = await platform.createWorkspace();
    const answer = await add(body, own);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect((await get('audit', { 'x-workspace-id': own })).body.memories).toBe(0);
  });

  it('refuse ten megabytes before they are sent', async () => {
    const headers = {
      authorization: `Bearer ${platform.apiKey}`,
      ...{ 'content-type': 'application/json', 'content-length': 10_000_000 },
    };
    const sent = request(`${platform.url}/api/v1/memories/add`, { method: 'POST', headers });
    // The api closes the connection when it has answered.
    sent.on('error', () => undefined);
    sent.flushHeaders();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    sent.destroy();
  });

  it('go with their workspace', async () => {
    const own = await platform.createWorkspace();
    await add({ contents: [RESTORED, 'Lunch is served at noon.'] }, own);
    expect((await platform.request('DELETE', `/workspaces/${own}`)).status).toBe(204);
    const source = await createDataSource({ url: platform.env['DATABASE_URL'] ?? '' }).initialize();
    const rows = await source.query('SELECT 1 FROM memories WHERE workspace_id = $1', [own]);
    await source.destroy();
    expect(rows).toEqual([]);
  });

  it('are described with examples', async () => {
    const { body } = await platform.request('GET', '/docs-json');
    const paths = Object.keys(body.paths).filter((it) => it.includes('/memories'));
    expect(paths).toHaveLength(7);
    expect(body.components.schemas.QueryMemories.example).toMatchObject({ limit: 5 });
  });
});
