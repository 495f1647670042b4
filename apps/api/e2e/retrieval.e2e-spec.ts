import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '@peregrine/database';
import { RETRIEVAL_PLANS } from '@peregrine/retrieval';
import { type DataSource } from 'typeorm';
import { type Answer, Platform } from './support/platform.js';
import { until } from './support/until.js';

const STAGING = `# Staging

The staging database is restored every night, as the [backup guide](backup.md) says.

## Access

Ask the operators for a key of the staging area.
`;
const BACKUP = `# Backup

Copies of the whole cluster are taken at midnight and kept for fourteen days in the cellar.
`;
const LUNCH = 'Lunch is served in the hall at noon. Nobody has to pay for the soup.';

/** Those that need nothing of the server. */
const PLANS = RETRIEVAL_PLANS.filter((it) => it !== 'vector-index');

interface Hit {
  readonly chunkId: string;
  readonly documentId: string;
  readonly text: string;
}

let platform: Platform;
let workspaceId: string;
const files: Record<'staging' | 'backup' | 'lunch', string> = { staging: '', backup: '', lunch: '' };

beforeAll(async () => {
  platform = await Platform.start();
  workspaceId = await platform.createWorkspace();
  files.staging = await upload('guide/staging.md', STAGING, 'text/markdown');
  files.backup = await upload('guide/backup.md', BACKUP, 'text/markdown');
  files.lunch = await upload('lunch.txt', LUNCH);
  for (const it of Object.values(files)) await until(async () => (await chunksOf(it)).length > 0);
}, 120_000);
afterAll(() => platform?.stop());

async function upload(path: string, content: string, type = 'text/plain'): Promise<string> {
  return (await platform.upload(workspaceId, path, content, type)).file.id;
}

async function chunksOf(documentId: string): Promise<Hit[]> {
  const path = `/retrieval/documents/${documentId}/chunks?workspaceId=${workspaceId}`;
  return (await platform.request('GET', path)).body.items as Hit[];
}

const post = (path: string, body: object, key = platform.apiKey): Promise<Answer> =>
  platform.request('POST', `/retrieval/${path}`, { body: { workspaceId, ...body }, key });
const query = (body: object, key?: string) => post('query', body, key);
const documentsOf = ({ body }: Answer) => (body.hits as Hit[]).map((it) => it.documentId);

describe('a question about files', () => {
  it('is answered with passages, best first, and a certificate', async () => {
    const answer = await query({ text: 'when is the staging database restored' });
    expect(answer.status).toBe(200);
    expect(documentsOf(answer)[0]).toBe(files.staging);
    expect(answer.body.hits[0]).toMatchObject({
      ...{ place: 0, type: 'text/markdown', text: expect.stringContaining('every night') },
      ...{ score: expect.any(Number), cosine: expect.any(Number), keyword: expect.any(Number), proximity: 0 },
    });
    // So few passages are all compared.
    expect(answer.body.certificate).toMatchObject({ status: 'complete', z: null });
    expect(answer.body).not.toHaveProperty('explanation');
    expect(answer.headers.get('server-timing')).toContain('database;dur=');
  });

  it('is explained where that is asked for', async () => {
    const question = { text: 'when is the staging database restored', limit: 2 };
    const { body } = await query({ ...question, explain: true });
    expect(body.explanation).toMatchObject({
      ...{ plan: expect.any(String), why: expect.any(String), status: 'complete', escalated: false },
      ...{ keywords: { truncated: false }, neighbourhood: null },
    });
    const explained = await post('explain', question);
    expect(explained.status).toBe(200);
    expect(explained.body.chunkIds).toEqual((body.hits as Hit[]).map((it) => it.chunkId));
    expect(explained.body.explanation.stages.length).toBeGreaterThan(2);
    expect(explained.body).not.toHaveProperty('hits');
  });

  it('is limited to what passes a filter', async () => {
    const text = 'midnight';
    const types = await query({ text, filter: { types: ['text/plain'] } });
    expect(documentsOf(types)).toEqual([files.lunch]);
    const documents = await query({ text, filter: { documentIds: [files.backup.toUpperCase()] } });
    expect(documentsOf(documents)).toEqual([files.backup]);
    const none = await query({ text, filter: { createdBefore: '2020-01-01T00:00:00+02:00' } });
    expect(none.body).toMatchObject({ hits: [], certificate: { status: 'complete' } });
  });

  it('walks along links from the passages that it names, by every plan', async () => {
    const [seed] = await chunksOf(files.staging);
    const around = { text: 'midnight', seeds: [seed?.chunkId] };
    const within = await query({ ...around, mode: 'within', explain: true });
    expect(documentsOf(within)[0]).toBe(files.backup);
    expect(documentsOf(within)).not.toContain(files.lunch);
    expect(within.body.explanation.neighbourhood).toMatchObject({ truncated: false });
    const answers = await Promise.all(
      PLANS.map((plan) => query({ ...around, mode: 'boost', plan, recallFloor: 1 })),
    );
    for (const it of answers) {
      expect(it).toMatchObject({ status: 200, body: { certificate: { status: 'complete', wantedZ: null } } });
      expect(documentsOf(it)).toEqual(documentsOf(answers[0] as Answer));
    }
  });

  it('takes the vector of the embeddings route', async () => {
    const key = await platform.createKey(['content:read', 'ai:use'], [workspaceId]);
    const embedded = await platform.request('POST', '/ai/embeddings', { body: { input: LUNCH }, key });
    const answer = await query({ vector: embedded.body.data[0].embedding, limit: 1 }, key);
    expect(answer.body.hits).toMatchObject([{ documentId: files.lunch, cosine: expect.closeTo(1) }]);
    expect(answer.body.hits[0].keyword).toBeNull();
  });

  it('is answered in a millisecond as well as that goes', async () => {
    const { status, body } = await query({ text: 'soup', budgetMs: 1, recallFloor: 1 });
    expect(status).toBe(200);
    expect(['complete', 'uncertified']).toContain(body.certificate.status);
  });

  it('is not answered from another workspace', async () => {
    const key = await platform.createKey(['content:read', 'content:write']);
    const own = (await platform.request('POST', '/workspaces', { body: { name: 'other' }, key })).body.id;
    const [seed] = await chunksOf(files.staging);
    expect((await query({ text: 'staging' }, key)).status).toBe(404);
    expect((await query({ workspaceId: own, text: 'staging' }, key)).body.hits).toEqual([]);
    const stolen = { workspaceId: own, text: 'staging', mode: 'within', seeds: [seed?.chunkId] };
    expect(await query(stolen, key)).toMatchObject({
      ...{ status: 404, body: { code: 'RETRIEVAL_CHUNK_NOT_FOUND' } },
    });
    const path = `/retrieval/documents/${files.staging}/chunks?workspaceId=${own}`;
    expect((await platform.request('GET', path, { key })).status).toBe(404);
  });

  it('follows the files: a change, and a deletion', async () => {
    const id = await upload('poem.md', '# Poem\n\nA heron stands in the reeds.', 'text/markdown');
    const found = async (text: string) => documentsOf(await query({ text, limit: 1 }))[0] === id;
    await until(() => found('heron reeds'));
    await upload('poem.md', '# Poem\n\nA bittern booms in the marsh.', 'text/markdown');
    await until(() => found('bittern marsh'));
    expect((await query({ text: 'heron' })).body.hits[0].keyword).toBeNull();
    expect((await platform.request('DELETE', `/workspaces/${workspaceId}/files/${id}`)).status).toBe(204);
    expect(documentsOf(await query({ text: 'bittern marsh' }))).not.toContain(id);
  });
});

describe('the choice of plans', () => {
  it('is explained with what the planner was asked, and said', async () => {
    const explained = async () =>
      (await post('explain', { text: 'the hall at noon' })).body.explanation as {
        chooser: { features: Record<string, number>; allowed: string[]; decision: unknown } | null;
      };
    // The first questions of a workspace have its passages sampled.
    await until(async () => (await explained()).chooser !== null);
    const { chooser } = await explained();
    expect(Object.keys(chooser?.features ?? {}).length).toBeGreaterThan(8);
    expect(chooser?.allowed).toContain('filtered-vector');
    expect(chooser?.decision).toMatchObject({ reason: expect.any(String), predictedMs: expect.any(Object) });
  });

  it('is shown to those who run it, with the certainty of answers', async () => {
    const { status, body } = await platform.request('GET', '/retrieval/planner', { key: platform.adminKey });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      certainty: { embedder: 'local-hashing-384-v1', calibration: { z: 3, from: 'option' } },
      ...{
        exploration: { refused: expect.any(Number) },
        training: { isTraining: false },
        cache: { hits: expect.any(Number) },
      },
    });
    expect(body.decisions.length).toBeGreaterThan(0);
    expect(body.regret.runs).toBeGreaterThan(0);
    for (const it of [body.drift, body.calibration]) expect(Object.keys(it)).toContain('filtered-vector');
    expect((await platform.request('GET', '/retrieval/planner')).status).toBe(403);
  });

  it('is among the figures, with what the answers came to', async () => {
    const text = (await platform.request('GET', '/metrics')).body as string;
    expect(text).toMatch(
      /^retrieval_queries_total\{plan="[a-z-]+",status="complete",reason="[a-z-]+"\} [1-9]/m,
    );
    expect(text).toMatch(/^retrieval_query_duration_seconds_count [1-9]/m);
    expect(text).toMatch(/^retrieval_shadow_queries_total\{embedder="[^"]+",outcome="failed"\} 0$/m);
    expect(text).toMatch(/^retrieval_calibrated_certainty\{[^}]+\} 3$/m);
    expect(text).toMatch(/^db_planner_decisions_total\{[^}]+\} [1-9]/m);
    const worker = await platform.request('GET', '/metrics', { url: platform.workerUrls[0] ?? '' });
    expect(worker.body).toContain('# TYPE retrieval_queries_total counter');
  });
});

describe('a caller who leaves', () => {
  let source: DataSource;
  beforeAll(async () => {
    source = await createDataSource({ url: platform.env['DATABASE_URL'] ?? '', poolMax: 2 }).initialize();
  });
  afterAll(() => source?.destroy());

  const waiting = async () => {
    const rows = await source.query<unknown[]>(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  };
  /** How often the part by words, which comes late, was asked for. */
  const keywordQueries = async () => {
    const path = '/optimizer/queries?limit=100';
    const { body } = await platform.request('GET', path, { key: platform.adminKey });
    const all = body.items as { sql: string; calls: number }[];
    return all.filter((it) => it.sql.includes('to_tsvector')).reduce((sum, it) => sum + it.calls, 0);
  };

  it('has the work ended, and is nothing for the log', async () => {
    const before = await keywordQueries();
    const runner = source.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE retrieval_codes');
    const leaving = new AbortController();
    // The plan that asks PostgreSQL for codes, before anything else does.
    const question = { workspaceId, text: 'somebody in a hurry', plan: 'filtered-vector' };
    const asked = fetch(`${platform.url}/api/v1/retrieval/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${platform.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
      signal: leaving.signal,
    });
    await until(waiting);
    leaving.abort();
    await expect(asked).rejects.toThrow();
    await until(async () => {
      const { body } = await platform.request('GET', '/metrics');
      return /http_requests_total\{[^}]*retrieval\/query[^}]*status="aborted"[^}]*\} [1-9]/.test(
        body as string,
      );
    });
    await runner.rollbackTransaction();
    await runner.release();
    await until(async () => !(await waiting()));
    await query({ text: 'another question' });
    expect(await keywordQueries()).toBe(before + 1);
    expect(platform.api.output).not.toContain('/retrieval/query failed');
  });
});
