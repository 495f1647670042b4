import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

// A machine that is busy with something else must not fail them.
jest.setTimeout(180_000);

const REINDEX = 'content.reindex-workspace';
const NOWHERE = '00000000-0000-4000-8000-000000000000';

describe.each([
  ['on Redis', true],
  ['on PostgreSQL', false],
])('tasks over HTTP, %s,', (_, redis) => {
  let platform: Platform;
  let workspace: string;
  let stranger: string;

  beforeAll(async () => {
    platform = await Platform.start({ redis });
    workspace = await platform.createWorkspace();
    stranger = await platform.createKey(['content:read', 'content:write']);
  });
  afterAll(() => platform?.stop());

  const payload = () => ({ workspaceId: workspace });
  const submit = (body: object, headers: Record<string, string> = {}, key = platform.apiKey) =>
    platform.request('POST', '/tasks', { body, headers, key });
  const get = (id: string, key = platform.apiKey) =>
    platform.request('GET', `/tasks/${encodeURIComponent(id)}`, { key });
  const ended = async (id: string) => {
    await until(async () => (await get(id)).body.finishedAt !== null);
    return (await get(id)).body as Record<string, unknown>;
  };

  it('takes one, says where to look, and shows how it ended', async () => {
    await platform.upload(workspace, 'a.txt', 'alpha');
    await platform.upload(workspace, 'b.txt', 'beta');
    await platform.extracted(workspace);
    const answer = await submit({ task: REINDEX, payload: payload() });
    expect(answer).toMatchObject({ status: 202, body: { task: REINDEX } });
    expect(answer.headers.get('location')).toBe(answer.body.url);
    const shown = await fetch(`${platform.url}${answer.body.url}`, {
      headers: { authorization: `Bearer ${platform.apiKey}` },
    });
    expect(shown.status).toBe(200);
    expect(await ended(answer.body.id)).toMatchObject({
      id: answer.body.id,
      task: REINDEX,
      state: 'completed',
      priority: 'BATCH',
      attempts: 1,
      maxAttempts: 5,
      progress: { files: 2 },
      result: { files: 2 },
      error: null,
      cancelReason: null,
      inline: false,
    });
    await platform.extracted(workspace);
    const { body } = await platform.request('GET', `/workspaces/${workspace}/statistics`);
    expect(body.byStatus.extracted).toBe(2);
  });

  it('answers a repeated submission with the first task, for each key of each caller', async () => {
    const body = { task: REINDEX, payload: payload(), delayMs: 60_000 };
    // Its dedupe would answer with the first as well.
    const cancelled = async (key: string, apiKey?: string) => {
      const { status, body: submitted } = await submit(body, { 'idempotency-key': key }, apiKey);
      expect(status).toBe(202);
      await platform.request('DELETE', `/tasks/${submitted.id}`, { key: platform.adminKey });
      return submitted.id as string;
    };
    const first = await cancelled('order:17');
    expect(await cancelled('order:17')).toBe(first);
    expect(await cancelled('order:18')).not.toBe(first);
    expect(await cancelled('order:17', platform.adminKey)).not.toBe(first);
  });

  it('cancels what waits, and not what has ended', async () => {
    const runAt = new Date(Date.now() + 3_600_000).toISOString();
    const { body } = await submit({ task: REINDEX, payload: payload(), runAt, priority: 'HIGH' });
    const explained = await platform.request('GET', `/tasks/${body.id}/explanation`);
    expect(explained).toMatchObject({ status: 200, body: { id: body.id, reason: 'delayed' } });
    expect(await get(body.id)).toMatchObject({ body: { state: 'delayed', priority: 'HIGH', result: null } });
    const remove = () => platform.request('DELETE', `/tasks/${body.id}`);
    expect(await remove()).toMatchObject({ status: 200, body: { id: body.id, state: 'cancelled' } });
    expect(await remove()).toMatchObject({ status: 409, body: { code: 'TASK_QUEUE_ALREADY_ENDED' } });
    expect((await get(body.id)).body).toMatchObject({ state: 'cancelled', cancelReason: 'by request' });
  });

  it('takes many, or none of them', async () => {
    const items = Array.from({ length: 3 }, (_unused, index) => ({
      task: REINDEX,
      payload: { workspaceId: workspace, onlyFailed: index === 1 },
      idempotencyKey: `batch-${index % 2}`,
      delayMs: index,
    }));
    const many = await platform.request('POST', '/tasks/batch', { body: { items } });
    expect(many.status).toBe(202);
    const ids = many.body.items.map((it: { id: string }) => it.id) as string[];
    expect(ids).toHaveLength(3);
    expect(ids[2]).toBe(ids[0]);
    for (const id of ids) expect(await ended(id)).toMatchObject({ state: 'completed' });

    const before = await statistics();
    const none = await platform.request('POST', '/tasks/batch', {
      body: {
        items: [
          items[0],
          { ...items[0], payload: { workspaceId: 42, extra: true } },
          { ...items[0], task: 'content.release-storage' },
          { ...items[0], payload: { workspaceId: NOWHERE } },
          { ...items[0], priority: 'CRITICAL' },
        ],
      },
    });
    expect(none).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    const fields = none.body.errors.map((it: { field: string }) => it.field);
    expect(fields).toEqual([
      'body.items.1.payload.workspaceId',
      'body.items.1.payload',
      'body.items.2',
      'body.items.3',
      'body.items.4',
    ]);
    expect((await statistics())['submitted']).toBe(before['submitted']);
  });

  const statistics = async () =>
    (await platform.request('GET', '/tasks/stats', { key: platform.adminKey })).body as Record<
      string,
      number
    >;

  it('counts in all processes', async () => {
    await until(
      async () => (await statistics())['completed']! > 0 && (await statistics())['batchesProcessed']! > 0,
    );
    expect(await statistics()).toMatchObject({
      submitted: expect.any(Number),
      completed: expect.any(Number),
      failed: expect.any(Number),
      retries: expect.any(Number),
      batchesProcessed: expect.any(Number),
      successRate: expect.any(Number),
      pending: expect.any(Number),
      running: expect.any(Number),
    });
    expect((await platform.request('GET', '/tasks/stats')).status).toBe(403);
  });

  it('hides tasks that are not public, or of a workspace that the key may not see', async () => {
    for (const task of ['content.extract-text', 'content.release-storage', 'no.such-task', 'constructor']) {
      const answer = await submit({ task, payload: {} }, {}, platform.adminKey);
      expect(answer).toMatchObject({ status: 404, body: { code: 'TASK_QUEUE_UNKNOWN_TASK' } });
      expect(answer.body.detail).toBe('There is no such task that may be submitted');
    }
    for (const workspaceId of [workspace, NOWHERE]) {
      const answer = await submit({ task: REINDEX, payload: { workspaceId } }, {}, stranger);
      expect(answer).toMatchObject({ status: 404, body: { code: 'CONTENT_WORKSPACE_NOT_FOUND' } });
    }
    const { body } = await submit({ task: REINDEX, payload: payload(), delayMs: 60_000 });
    const details = new Set<string>();
    for (const id of [body.id as string, `${REINDEX}~${NOWHERE}.x`, `${REINDEX}~unowned`, 'no.such-task~x']) {
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/explanation'],
        ['DELETE', ''],
      ] as const) {
        const answer = await platform.request(method, `/tasks/${id}${path}`, { key: stranger });
        expect(answer).toMatchObject({ status: 404, body: { code: 'TASK_QUEUE_NOT_FOUND' } });
        details.add((answer.body.detail as string).replaceAll(/task \S+ with the id \S+/g, ''));
      }
    }
    expect(details.size).toBe(1);
    expect((await get(body.id, platform.adminKey)).status).toBe(200);
    expect((await platform.request('DELETE', `/tasks/${body.id}`)).status).toBe(200);

    const reader = await platform.createKey(['content:read'], [workspace]);
    expect((await submit({ task: REINDEX, payload: payload() }, {}, reader)).status).toBe(403);
    expect((await get(body.id, reader)).status).toBe(200);
    expect((await submit({ task: REINDEX, payload: payload(), priority: 'CRITICAL' })).status).toBe(403);
  });

  it.each([
    [
      'a wrong payload',
      { payload: { workspaceId: 'x', more: 1 } },
      ['body.payload.workspaceId', 'body.payload'],
    ],
    ['a payload of another kind', { payload: [] }, ['body.payload']],
    ['neither task nor payload', { payload: undefined, task: undefined }, ['body.task', 'body.payload']],
    ['no task', { task: undefined }, ['body.task']],
    ['a fractional delay', { delayMs: 10.5 }, ['body.delayMs']],
    ['a negative delay', { delayMs: -1 }, ['body.delayMs']],
    ['an endless delay', { delayMs: 1e15 }, ['body.delayMs']],
    ['a delay in words', { delayMs: '10' }, ['body.delayMs']],
    ['two times', { delayMs: 1, runAt: '2030-01-01T00:00:00Z' }, ['body.runAt']],
    ['no time', { runAt: 'tomorrow' }, ['body.runAt']],
    ['an unknown priority', { priority: 'URGENT' }, ['body.priority']],
    ['an unknown field', { id: 'mine' }, ['body']],
  ])('refuses %s field by field', async (_case, change, fields) => {
    const answer = await submit({ task: REINDEX, payload: payload(), ...change });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.errors.map((it: { field: string }) => it.field)).toEqual(fields);
    expect(answer.body.code).toBe(
      fields.every((it) => it.startsWith('body.payload'))
        ? 'TASK_QUEUE_INVALID_PAYLOAD'
        : 'VALIDATION_FAILED',
    );
  });

  it('refuses what is no id, no key, or out of bounds', async () => {
    for (const id of ['x', '~x', 'x~', `${REINDEX}~a~b`, 'x'.repeat(500)]) {
      expect(await get(id)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    }
    for (const id of [`${REINDEX}~a:b`, `${REINDEX}~${'x'.repeat(201)}`, `${REINDEX}~a b`]) {
      const answer = await get(id, platform.adminKey);
      expect(answer).toMatchObject({ status: 400, body: { code: 'TASK_QUEUE_INVALID_ID' } });
    }
    for (const key of ['x'.repeat(256), 'a\tb']) {
      const answer = await submit({ task: REINDEX, payload: payload() }, { 'idempotency-key': key });
      expect(answer.body.errors?.[0].field).toBe('header.Idempotency-Key');
    }
    const far = await submit({ task: REINDEX, payload: payload(), runAt: '2999-01-01T00:00:00Z' });
    expect(far).toMatchObject({ status: 400, body: { code: 'TASK_QUEUE_INVALID_SUBMISSION' } });
    for (const items of [[], Array.from({ length: 1_001 }, () => ({ task: REINDEX, payload: {} }))]) {
      const answer = await platform.request('POST', '/tasks/batch', { body: { items } });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'body.items' }] } });
    }
  });

  it('is described as OpenAPI', async () => {
    const { paths } = (await platform.request('GET', '/docs-json')).body;
    expect(Object.keys(paths['/api/v1/tasks/{taskId}']).sort()).toEqual(['delete', 'get']);
    const post = paths['/api/v1/tasks'].post;
    expect(JSON.stringify(post.responses['202'])).toContain('SubmittedTask');
    expect(post.parameters).toContainEqual(
      expect.objectContaining({ in: 'header', name: 'Idempotency-Key' }),
    );
    expect(Object.keys(paths).filter((it) => it.startsWith('/admin'))).toEqual([]);
  });

  describe('the board', () => {
    const look = (path: string, authorization?: string, method = 'GET') =>
      fetch(`${platform.url}/admin/queues${path}`, {
        method,
        headers: authorization ? { authorization } : {},
      });
    const basic = (key: string) => `Basic ${Buffer.from(`me:${key}`).toString('base64')}`;

    it('asks for an admin key, as a browser does', async () => {
      for (const path of ['', '/', '/api/queues', '/static/favicon-32x32.png', '/queue/tasks']) {
        const answer = await look(path);
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
        expect((await look(path, basic('pgn_wrong'))).status).toBe(401);
        expect((await look(path, basic(platform.apiKey))).status).toBe(403);
      }
    });

    it('shows the page, its scripts and the tasks', async () => {
      const login = basic(platform.adminKey);
      const page = await look('/', login);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      const html = await page.text();
      expect(html).toContain('<base href="/admin/queues/"');
      const scripts = [...html.matchAll(/(?:src|href)="(static\/[^"]+\.(?:js|css))"/g)].map((it) => it[1]);
      expect(scripts.length).toBeGreaterThan(1);
      for (const script of scripts) expect((await look(`/${script}`, login)).status).toBe(200);

      const { body: submitted } = await submit({ task: REINDEX, payload: payload() });
      await ended(submitted.id);
      const jobs = async (query: string) =>
        (await (await look(`/api/queues?${query}`, `Bearer ${platform.adminKey}`)).json()) as {
          queues: { name: string; readOnlyMode: boolean; counts: Record<string, number>; jobs: object[] }[];
        };
      const [queue] = (await jobs('')).queues;
      expect(queue).toMatchObject({ readOnlyMode: true, counts: { prioritized: 0, failed: 0 } });
      expect(queue!.counts['completed']).toBeGreaterThan(0);
      const active = encodeURIComponent(queue!.name);
      const [shown] = (await jobs(`activeQueue=${active}&status=completed&page=1&jobsPerPage=100000`)).queues;
      expect(shown!.jobs.length).toBeLessThanOrEqual(100);
      expect(shown!.jobs).toContainEqual(
        expect.objectContaining({
          name: REINDEX,
          data: expect.objectContaining({ payload: { workspaceId: workspace } }),
          returnValue: { files: 2 },
        }),
      );
      expect((await look('/api/redis/stats', login)).status).toBe(200);
    });

    it('changes nothing', async () => {
      for (const [method, path] of [
        ['PUT', '/api/queues/tasks/pause'],
        ['PUT', '/api/queues/pause'],
        ['POST', '/api/queues/tasks/add'],
        ['DELETE', '/api/queues/tasks'],
      ] as const) {
        const answer = await look(path, basic(platform.adminKey), method);
        expect([404, 405]).toContain(answer.status);
      }
    });
  });
});

describe('tasks over HTTP while the store of the queue is away', () => {
  it('answers 503 with when to come back, degraded and not down', async () => {
    // Nothing listens on port 1.
    const platform = await Platform.start({ workers: 0, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    try {
      const workspaceId = await platform.createWorkspace();
      const key = platform.adminKey;
      const body = { task: REINDEX, payload: { workspaceId } };
      for (const [method, path, sent] of [
        ['POST', '/tasks', body],
        ['POST', '/tasks/batch', { items: [body] }],
        ['GET', `/tasks/${REINDEX}~${workspaceId}.x`, undefined],
        ['DELETE', `/tasks/${REINDEX}~${workspaceId}.x`, undefined],
        ['GET', `/tasks/${REINDEX}~${workspaceId}.x/explanation`, undefined],
        ['GET', '/tasks/dead-letters', undefined],
        ['POST', '/tasks/dead-letters/redrive', { all: true, dryRun: true }],
      ] as const) {
        const answer = await platform.request(method, path, { key, ...(sent && { body: sent }) });
        expect(answer).toMatchObject({ status: 503, body: { code: 'TASK_QUEUE_UNAVAILABLE' } });
        expect(answer.headers.get('retry-after')).toBe('5');
        expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1:1');
      }
      expect((await platform.request('GET', '/admin/queues/api/queues', { key })).status).toBe(503);
      const statistics = await platform.request('GET', '/tasks/stats', { key });
      expect(statistics).toMatchObject({ status: 200, body: { pending: null, deadLettered: null } });
      await until(
        async () => (await platform.request('GET', '/health')).body.checks['task-queue']?.status === 'down',
      );
      expect((await platform.request('GET', '/health/ready')).status).toBe(200);
    } finally {
      await platform.stop();
    }
  });
});
