import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Platform } from './support/platform.js';

const MANY = 20;
const TEXTS = Array.from({ length: MANY }, (_, index) => `falcon ${index}`);

describe('every request and every task of the platform', () => {
  let platform: Platform;

  beforeAll(async () => {
    // Without Redis nothing is cached that this process has not read itself.
    platform = await Platform.start({ redis: false, env: { QUERY_LOOP_WATCH: 'warn' } });
  }, 120_000);
  afterAll(() => platform?.stop());

  const admin = async (path: string) =>
    (await platform.request('GET', path, { key: platform.adminKey })).body as {
      items: { sql: string; calls: number }[];
      queryLoops: { watched: number; found: number; latest: { where: string }[] };
    };
  const metrics = async (url: string) => String((await platform.request('GET', '/metrics', { url })).body);

  it('asks once for the workspaces of a batch of tasks, whether one is missing or not', async () => {
    const workspaces = await Promise.all(TEXTS.map((it) => platform.createWorkspace(it)));
    const callsOf = async () =>
      (await admin('/optimizer/queries?limit=100&sort=rows')).items
        .filter(({ sql }) => sql.includes('"api_key_workspaces" WHERE "api_key_id" = ANY'))
        .reduce((sum, it) => sum + it.calls, 0);
    const batch = (ids: readonly string[]) =>
      platform.request('POST', '/tasks/batch', {
        body: {
          items: ids.map((workspaceId) => ({ task: 'content.reindex-workspace', payload: { workspaceId } })),
        },
      });
    const before = await callsOf();
    const missing = '01900000-0000-7000-8000-000000000000';
    const refused = await batch([...workspaces, missing]);
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: `body.items.${MANY}` }] } });
    expect(await callsOf()).toBe(before + 1);
    expect((await batch(workspaces)).status).toBe(202);
    expect(await callsOf()).toBe(before + 1);
  });

  it('sends no statement in a loop', async () => {
    const workspace = await platform.createWorkspace();
    const form = new FormData();
    for (const it of TEXTS) form.append('files', new Blob([it], { type: 'text/plain' }), `${it}.txt`);
    const path = `/workspaces/${workspace}`;
    expect((await platform.request('POST', `${path}/files`, { body: form })).status).toBe(201);
    await platform.extracted(workspace);
    const { body } = await platform.request('GET', `${path}/files?limit=${MANY}`);
    const { body: hits } = await platform.request('GET', `${path}/search?q=falcon&limit=${MANY}`);
    expect(hits.items).toHaveLength(MANY);
    for (const { id } of body.items as { id: string }[]) {
      await platform.request('GET', `${path}/files/${id}/content`);
      await platform.request('DELETE', `${path}/files/${id}`);
    }
    await platform.request('DELETE', path);

    const { queryLoops } = await admin('/optimizer/report');
    expect(queryLoops.latest).toEqual([]);
    expect(queryLoops).toMatchObject({ found: 0 });
    expect(queryLoops.watched).toBeGreaterThan(3 * MANY);
    const [worker = ''] = platform.workerUrls;
    expect(await metrics(worker)).toMatch(/^db_n_plus_one_total 0$/m);
  });
});
