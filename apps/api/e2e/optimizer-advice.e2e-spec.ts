import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createQueryOptimizer, type QueryOptimizer } from '@peregrine/query-optimizer';
import { type Answer, Platform } from './support/platform.js';
import { until } from './support/until.js';

// A machine that is busy with something else must not fail them.
jest.setTimeout(180_000);

const SECRET = 'hunter2-of-another-tenant';
const SLOW_MS = 250;
const SCHEMA = [
  'CREATE TABLE parcel (id int PRIMARY KEY, customer int NOT NULL, note text NOT NULL)',
  `INSERT INTO parcel SELECT i, i % 5000, 'note ' || i FROM generate_series(1, 50000) i`,
  `INSERT INTO parcel VALUES (0, 0, '${SECRET}')`,
  'ANALYZE parcel',
];

interface Recommendation {
  readonly id: string;
  readonly state: string;
  readonly indexName: string;
  readonly keys: readonly string[];
  readonly reasons: readonly string[];
  readonly improvement: { readonly before: number; readonly after: number };
}

describe.each([
  ['on Redis', true],
  ['on PostgreSQL', false],
])('advice of the optimizer over HTTP, the queue %s,', (_, redis) => {
  let platform: Platform;
  /** Another program on the same database, which finds what it lacks. */
  let program: QueryOptimizer;
  let id: string;

  const admin = (method: string, path: string) =>
    platform.request(method, `/optimizer${path}`, { key: platform.adminKey });
  const recommendation = async () =>
    (await admin('GET', `/recommendations/${id}`)).body as Recommendation & {
      trial: { status: string; actor: string; measurements: { beforeMs: number; afterMs: number }[] } | null;
    };
  const run = async (sql: string, parameters: unknown[] = []) =>
    (await program.execute(sql, parameters)).rows;
  const hasIndex = async (name: string) =>
    (await run('SELECT indexname FROM pg_indexes WHERE indexname = $1', [name])).length === 1;
  /** Meanwhile a transaction is open that has done this. */
  const meanwhile = (statement: string, work: (end: () => Promise<unknown>) => Promise<void>) =>
    program.pool.use(async (client) => {
      await client.query(`BEGIN`);
      await client.query(statement);
      await work(() => client.query('ROLLBACK'));
    });
  const audit = async () =>
    (
      await platform.request('GET', `/audit-events?subject=index-recommendation/${id}`, {
        key: platform.adminKey,
      })
    ).body.items as { action: string; event: string; task: string; detail: string | null; actor: object }[];
  const ended = async ({ body }: Answer) => {
    const look = () =>
      platform.request('GET', (body.url as string).replace('/api/v1', ''), { key: platform.adminKey });
    let task = await look();
    await until(async () => {
      task = await look();
      return ['completed', 'failed', 'cancelled'].includes(task.body.state as string);
    }, 120_000);
    return task.body as { state: string; result: unknown; progress: unknown; error: string | null };
  };

  beforeAll(async () => {
    platform = await Platform.start({ redis });
    const common = {
      connectionString: platform.env['DATABASE_URL'] ?? '',
      pool: { min: 1, max: 5, reserve: 0 },
      cache: { enabled: false, listen: false },
    };
    // Its writes are no part of the workload.
    const loader = await createQueryOptimizer({ ...common, slowQueries: { enabled: false } });
    for (const statement of SCHEMA) await loader.execute(statement);
    await loader.close();
    program = await createQueryOptimizer({
      ...common,
      slowQueries: { thresholdMs: 0 },
      adaptiveIndexing: { mode: 'recommend', evidence: { minCalls: 1, minTotalMs: 0 } },
    });
    for (let customer = 1; customer <= 5; customer++) {
      await run(`SELECT id FROM parcel WHERE customer = ${customer}`);
      await run(`SELECT id FROM parcel WHERE note = '${SECRET}' AND id <> ${customer}`);
    }
    expect(await program.adaptiveIndexing.runRound()).toMatchObject({ outcome: 'completed' });
  });
  afterAll(async () => {
    await program?.close();
    await platform?.stop();
  });

  it('has a slow query, without its constants, with its history', async () => {
    const workspace = await platform.createWorkspace();
    let list: Promise<Answer> | undefined;
    await meanwhile('LOCK TABLE files IN ACCESS EXCLUSIVE MODE', async (end) => {
      list = platform.request('GET', `/workspaces/${workspace}/files`);
      await until(async () => {
        const waiting = await run(
          `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
              AND application_name = 'peregrine-api'`,
        );
        return waiting.length > 0;
      });
      // It waits for at least as long as this takes.
      await run(`SELECT pg_sleep(${SLOW_MS / 1_000})`);
      await end();
    });
    expect((await list)?.status).toBe(200);

    const page = await admin('GET', '/slow-queries?sort=maxMs&limit=100');
    expect(page).toMatchObject({ status: 200, body: { thresholdMs: 100 } });
    // On a busy machine others are slow as well.
    const slow = (page.body.items as { fingerprint: string; sql: string; maxMs: number }[]).find(
      (it) => /FROM "?files/.test(it.sql) && it.maxMs >= SLOW_MS,
    );
    if (!slow) throw new Error(`It is not there: ${JSON.stringify(page.body)}`);
    expect(slow).toMatchObject({ source: 'application', kind: 'select' });
    expect(slow.sql).not.toContain(workspace);
    const detail = await admin('GET', `/slow-queries/${slow.fingerprint}`);
    expect(detail).toMatchObject({
      status: 200,
      body: { fingerprint: slow.fingerprint, plans: expect.any(Array), hours: expect.any(Array) },
    });
    // It is written behind the request.
    await until(async () => {
      const { body } = await admin('GET', `/slow-queries/${slow.fingerprint}`);
      return (body.hours as { slowCalls: number }[]).some((it) => it.slowCalls >= 1);
    });
  });

  it('has the recommendation with its reasons, and what was rejected with its reason', async () => {
    const { status, body } = await admin('GET', '/recommendations?state=open');
    expect(status).toBe(200);
    const found = (body.items as Recommendation[]).find((it) => it.keys.join().includes('customer'));
    if (!found) throw new Error(`Nothing is recommended: ${JSON.stringify(body)}`);
    expect(found).toMatchObject({ table: { schema: 'public', name: 'parcel' }, state: 'open' });
    expect(found.reasons.length).toBeGreaterThan(0);
    expect(found.improvement.after).toBeLessThan(found.improvement.before);
    for (const it of body.rejected) expect(it).toMatchObject({ reason: expect.stringMatching(/\w/) });
    expect(body.lastRound).toMatchObject({ outcome: 'completed' });
    id = found.id;
    const detail = await admin('GET', `/recommendations/${id}`);
    expect(detail.body.serves).toMatchObject([{ sql: expect.stringContaining('customer = $') }]);
    expect(JSON.stringify([body, detail.body])).not.toContain(SECRET);
  });

  it('applies it once, in a task that tells how far it is, and reverts it; the audit has who did', async () => {
    const { indexName } = await recommendation();
    expect(await admin('POST', `/recommendations/${id}/revert`)).toMatchObject({
      status: 409,
      body: { code: 'QUERY_RECOMMENDATION', detail: expect.stringContaining('is open') },
    });
    const [first, second] = await Promise.all([
      admin('POST', `/recommendations/${id}/apply`),
      admin('POST', `/recommendations/${id}/apply`),
    ]);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body).toEqual(first.body);
    expect(first.headers.get('location')).toBe(first.body.url);
    const applied = await ended(first);
    expect(applied).toMatchObject({ state: 'completed', result: { recommendation: id, status: 'kept' } });
    expect(applied.progress).toMatchObject({ phase: expect.any(String), text: expect.any(String) });
    expect(await hasIndex(indexName)).toBe(true);
    const kept = await recommendation();
    expect(kept).toMatchObject({ state: 'kept', trial: { status: 'kept', actor: 'bootstrap admin' } });
    expect(kept.trial?.measurements[0]?.afterMs).toBeLessThan(kept.trial?.measurements[0]?.beforeMs ?? 0);
    expect((await admin('POST', `/recommendations/${id}/apply`)).body).toEqual(first.body);

    const reverting = await admin('POST', `/recommendations/${id}/revert`);
    expect(reverting.status).toBe(202);
    expect(await ended(reverting)).toMatchObject({ state: 'completed', result: { status: 'reverted' } });
    expect(await hasIndex(indexName)).toBe(false);
    expect((await recommendation()).state).toBe('reverted');
    expect((await admin('POST', `/recommendations/${id}/revert`)).body).toEqual(reverting.body);

    const events = await audit();
    expect(events.map((it) => [it.action, it.event, it.task])).toEqual(
      expect.arrayContaining([
        ['index.revert', 'succeeded', reverting.body.id],
        ['index.revert', 'requested', reverting.body.id],
        ['index.apply', 'succeeded', first.body.id],
        ['index.apply', 'requested', first.body.id],
      ]),
    );
    expect(events[0]).toMatchObject({
      event: 'succeeded',
      detail: 'Reverted by bootstrap admin',
      actor: { name: 'bootstrap admin' },
    });
    for (const change of [
      'UPDATE audit_events SET detail = NULL',
      'DELETE FROM audit_events',
      'TRUNCATE audit_events',
    ]) {
      await expect(run(change)).rejects.toThrow('Audit events are only added');
    }
  });

  it('applies it again when it was reverted, and leaves nothing when the task is cancelled', async () => {
    await meanwhile('UPDATE parcel SET note = note WHERE id = 1', async (end) => {
      const applying = await admin('POST', `/recommendations/${id}/apply`);
      expect(applying.status).toBe(202);
      const task = (applying.body.url as string).replace('/api/v1', '');
      await until(async () => {
        const { body } = await platform.request('GET', task, { key: platform.adminKey });
        return body.progress?.step !== undefined;
      });
      expect(await admin('POST', `/recommendations/${id}/revert`)).toMatchObject({ status: 409 });
      expect((await platform.request('DELETE', task, { key: platform.adminKey })).status).toBe(202);
      await until(async () => {
        const builds = await run(
          'SELECT pid FROM pg_stat_progress_create_index WHERE datname = current_database()',
        );
        return builds.length === 0;
      });
      // What is half built can be dropped only when the transaction is over.
      await end();
      expect(await ended(applying)).toMatchObject({ state: 'cancelled' });
    });
    await until(async () => (await audit())[0]?.event === 'failed');
    const { indexName } = await recommendation();
    await until(async () => !(await hasIndex(indexName)));
  });

  it('lists the indexes with size and use, and what is wrong with them', async () => {
    for (const it of ['twice_1', 'twice_2']) await run(`CREATE INDEX ${it} ON parcel (note)`);
    const all: { index: string; sizeBytes: number; scans: number }[] = [];
    let cursor = '';
    do {
      const { status, body } = await admin('GET', `/indexes?limit=7${cursor}`);
      expect(status).toBe(200);
      all.push(...body.items);
      cursor = body.nextCursor === null ? '' : `&cursor=${encodeURIComponent(body.nextCursor)}`;
    } while (cursor !== '');
    const sizes = all.map((it) => it.sizeBytes);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(new Set(all.map((it) => it.index)).size).toBe(all.length);
    expect(all.map((it) => it.index)).toEqual(expect.arrayContaining(['twice_1', 'files_pkey']));
    const { body } = await admin('GET', '/indexes?kind=duplicate');
    expect(body.findings).toMatchObject([
      { kind: 'duplicate', table: 'parcel', statement: expect.any(String) },
    ]);
    await run('DROP INDEX twice_1, twice_2');
  });

  it('is for admins alone', async () => {
    for (const [method, path] of [
      ['GET', '/optimizer/slow-queries'],
      ['GET', '/optimizer/slow-queries/abc'],
      ['GET', '/optimizer/recommendations'],
      ['GET', `/optimizer/recommendations/${id}`],
      ['POST', `/optimizer/recommendations/${id}/apply`],
      ['POST', `/optimizer/recommendations/${id}/revert`],
      ['GET', '/optimizer/indexes'],
      ['GET', '/audit-events'],
    ] as const) {
      expect(await platform.request(method, path)).toMatchObject({ status: 403 });
      expect(await platform.request(method, path, { key: '' })).toMatchObject({ status: 401 });
    }
  });

  it.each([
    ['GET', '/slow-queries?sort=sql', 400],
    ['GET', '/slow-queries?limit=0', 400],
    ['GET', '/slow-queries?cursor=x', 400],
    ['GET', '/slow-queries/none', 404],
    ['GET', `/slow-queries/${encodeURIComponent("'; DROP TABLE parcel; --")}`, 400],
    ['GET', '/recommendations?state=unknown', 400],
    ['GET', '/recommendations?offset=1', 400],
    ['GET', '/recommendations/000000000000', 404],
    ['POST', '/recommendations/000000000000/apply', 404],
    ['POST', '/recommendations/000000000000/revert', 404],
    ['POST', '/recommendations/a%20b/apply', 400],
    ['GET', '/indexes?kind=all', 400],
    ['GET', '/indexes?cursor=x', 400],
  ])('answers %s %s with %d and problem details', async (method, path, status) => {
    const answer = await admin(method, path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status, code: expect.any(String), requestId: expect.any(String) });
    expect(JSON.stringify(answer.body)).not.toMatch(/ {4}at |node_modules/);
  });

  it('describes itself', async () => {
    const { body } = await platform.request('GET', '/docs-json');
    for (const path of [
      'slow-queries',
      'recommendations',
      'recommendations/{recommendationId}/apply',
      'indexes',
    ]) {
      expect(Object.keys(body.paths)).toContain(`/api/v1/optimizer/${path}`);
    }
    expect(body.components.schemas.IndexRecommendation.example.id).toBe('9d1b7a40c2ef');
  });
});
