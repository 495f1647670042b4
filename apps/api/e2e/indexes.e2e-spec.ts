import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesOf } from '@peregrine/ai/vectors';
import { createDataSource } from '@peregrine/database';
import { createTestDatabase } from '@peregrine/database/testing';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const FILES = 20_000;
const LARGE_TABLES = [
  ...['files', 'file_documents', 'file_storages', 'storage_resources'],
  ...['chunks', 'vectors', 'codes', 'edges'].map((it) => `retrieval_${it}`),
];

/** A UUID that the SQL below and the tests can both make; `kind` keeps the tables apart. */
const uuidSql = (kind: number, index: string) =>
  `('0${kind}900000-0000-7000-8000-' || lpad(to_hex(${index}), 12, '0'))::uuid`;
const uuid = (kind: number, index: number) =>
  `0${kind}900000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`;

const WORKSPACE = uuid(1, 1);
const FILE = (index: number) => uuid(3, index);
/** One of the small workspaces, two of its files, and a passage of one. */
const SMALL = { workspaceId: uuid(1, 3), file: FILE(1), chunk: uuid(8, 1) };
/** Of every passage: all answers to it are as good. */
const VECTOR = new Float32Array(384).fill(1);

/** 3,000 workspaces and keys; the first workspace has half of the files, 100 others share the rest. */
const SEED = [
  `INSERT INTO workspaces (id, name, created_at)
   SELECT ${uuidSql(1, 'i')}, 'workspace ' || i, now() - make_interval(secs => i) FROM generate_series(1, 3000) i`,
  `INSERT INTO api_keys (id, name, key_hash, scopes, created_at)
   SELECT ${uuidSql(2, 'i')}, 'key ' || i, sha256(i::text::bytea), '{content:read}', now() - make_interval(secs => i)
     FROM generate_series(1, 3000) i`,
  `INSERT INTO api_key_workspaces (api_key_id, workspace_id)
   SELECT ${uuidSql(2, 'i')}, ${uuidSql(1, 'i')} FROM generate_series(1, 3000) i`,
  `INSERT INTO storage_resources (id, sha256, driver, object_key, size_bytes, created_at)
   SELECT ${uuidSql(4, 'i')}, encode(sha256(content), 'hex'), 'postgres', ${uuidSql(5, 'i')}, length(content), now()
     FROM (SELECT i, ('content ' || i)::bytea AS content FROM generate_series(1, ${FILES}) i) it`,
  `INSERT INTO storage_objects (key, data, size_bytes)
   SELECT ${uuidSql(5, 'i')}, ('content ' || i)::bytea, length('content ' || i) FROM generate_series(1, ${FILES}) i`,
  `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
   SELECT ${uuidSql(3, 'i')}, ${uuidSql(1, `CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + i % 100 END`)},
          'folder-' || i % 97 || '/file-' || i || '.txt', 'file-' || i || '.txt', 'text/plain', r.size_bytes,
          r.sha256, 'extracted'
     FROM generate_series(1, ${FILES}) i JOIN storage_resources r ON r.id = ${uuidSql(4, 'i')}`,
  `INSERT INTO file_storages (file_id, storage_resource_id)
   SELECT ${uuidSql(3, 'i')}, ${uuidSql(4, 'i')} FROM generate_series(1, ${FILES}) i`,
  `INSERT INTO file_documents (file_id, workspace_id, name, path, body)
   SELECT id, workspace_id, name, path,
          'content of ' || name || ' about topic' || ('x' || substr(sha256, 1, 6))::bit(24)::int % 500
     FROM files`,
  `INSERT INTO storage_syncs (id, workspace_id, pair_id, source, direction, dry_run, deletes, overwrites, state, ended_at)
   SELECT ${uuidSql(6, 'i')}, ${uuidSql(1, 'i')}, ${uuidSql(7, 'i')}, '/srv', 'import', false, false, false, 'completed', now()
     FROM generate_series(1, 3000) i`,
];

/** A passage for each file, linked with the next one of its workspace. */
const SEED_RETRIEVAL = [
  `INSERT INTO retrieval_chunks (id, workspace_id, document_id, place, type, text, search, word_count, created_at)
   SELECT ${uuidSql(8, 'i')}, f.workspace_id, f.id, 0, 'type ' || i % 64, d.body, to_tsvector('english', d.body), 6,
          now() - make_interval(mins => i)
     FROM generate_series(1, ${FILES}) i JOIN files f ON f.id = ${uuidSql(3, 'i')} JOIN file_documents d ON d.file_id = f.id`,
  `INSERT INTO retrieval_vectors
   SELECT id, workspace_id, 'local-hashing-384-v1', 384, '\\x${bytesOf(VECTOR).toString('hex')}' FROM retrieval_chunks`,
  `INSERT INTO retrieval_codes
   SELECT id, workspace_id, 'local-hashing-384-v1', document_id, type, created_at,
          ('x' || left(encode(sha512(id::text::bytea), 'hex'), 96))::bit(384)
     FROM retrieval_chunks`,
  `INSERT INTO retrieval_edges (source_id, target_id, type, workspace_id, weight)
   SELECT source_id, target_id, 'neighbour', k.workspace_id, 0.5
     FROM generate_series(1, ${FILES} - 100) i
     CROSS JOIN LATERAL (VALUES (${uuidSql(8, 'i')}, ${uuidSql(8, 'i + 100')}), (${uuidSql(8, 'i + 100')}, ${uuidSql(8, 'i')}))
       AS ends (source_id, target_id)
     JOIN retrieval_chunks k ON k.id = source_id`,
  `INSERT INTO retrieval_degrees SELECT id, 2, 4 FROM retrieval_chunks`,
];

interface Scans {
  name: string;
  scans: number;
}

const TABLE_SCANS = `SELECT relname AS name, seq_scan::int AS scans FROM pg_stat_user_tables
                      WHERE relname IN (${LARGE_TABLES.map((it) => `'${it}'`).join()}) ORDER BY 1`;
/** Those of memories have a test of their own: `test/index-catalogue.int-spec.ts` of libs/memories. */
const INDEX_SCANS = `SELECT s.indexrelname AS name, s.idx_scan::int AS scans
                       FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)
                      WHERE s.schemaname = 'public' AND NOT i.indisunique AND s.relname !~ '^memor(ies|y_)' ORDER BY 1`;

let platform: Platform;
let databaseUrl: string;
let drop = () => Promise.resolve();

beforeAll(async () => {
  const database = await createTestDatabase(process.env['DATABASE_URL']);
  databaseUrl = database.url;
  drop = () => database.drop();
  // Without the cache every request reaches the database; without a worker nothing else does.
  platform = await Platform.start({ databaseUrl, workers: 0, env: { CACHE_ENABLED: 'false' } });
  for (const statement of [...SEED, ...SEED_RETRIEVAL]) await query(statement);
  await query('VACUUM ANALYZE');
  await query(`INSERT INTO api_key_workspaces SELECT id, $1 FROM api_keys WHERE name = 'test'`, [WORKSPACE]);
}, 180_000);

afterAll(async () => {
  await platform?.stop();
  await drop();
});

async function query<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
  const dataSource = await createDataSource({ url: databaseUrl, poolMax: 1 }).initialize();
  try {
    return await dataSource.query<T[]>(sql, parameters);
  } finally {
    await dataSource.destroy();
  }
}

/** A server process reports all that it counted only when it ends: waits for those of the stopped apps. */
async function scans(sql: string): Promise<Scans[]> {
  await until(async () => {
    const others = await query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'`,
    );
    return others.length === 0;
  });
  return query<Scans>(sql);
}

const files = (query: string) => platform.request('GET', `/workspaces/${WORKSPACE}/files?${query}`);
const retrieve = (body: object) =>
  platform.request('POST', '/retrieval/query', {
    body: { workspaceId: SMALL.workspaceId, vector: [...VECTOR], plan: 'filtered-vector', ...body },
    key: platform.adminKey,
  });
const search = (query: string) => platform.request('GET', `/workspaces/${WORKSPACE}/search?${query}`);

const retrieveByEveryIndex = () =>
  Promise.all([
    retrieve({ text: 'topic7' }),
    retrieve({ filter: { types: ['type 1'], createdFrom: '2020-01-01T00:00:00Z' } }),
    retrieve({ filter: { documentIds: [SMALL.file] } }),
    retrieve({ mode: 'within', seeds: [SMALL.chunk] }),
  ]);

describe('without a sequential scan of a large table', () => {
  it.each<[string, () => Promise<{ status: number; body?: unknown }[]>]>([
    [
      'lists files, page by page and by prefix',
      async () => {
        const first = await files('limit=50');
        const second = await files(`limit=50&cursor=${first.body.nextCursor}`);
        const back = await files(`limit=50&cursor=${second.body.previousCursor}`);
        const prefix = await files('path=folder-42/&limit=500');
        expect(prefix.body.items.length).toBeGreaterThan(100);
        return [first, second, back, prefix];
      },
    ],
    [
      'gets a file and its content',
      async () => {
        const path = `/workspaces/${WORKSPACE}/files/${FILE(4)}`;
        const content = await platform.request('GET', `${path}/content`);
        expect(content.body).toBe('content 4');
        return [await platform.request('GET', path), content];
      },
    ],
    [
      'searches for a rare and for a frequent word, page by page',
      async () => {
        const rare = await search('q=topic7');
        expect(rare.body.items.length).toBeGreaterThan(0);
        const frequent = await search('q=topic7%20or%20topic8%20or%20topic9&limit=10');
        return [
          rare,
          frequent,
          await search(`q=topic7%20or%20topic8%20or%20topic9&limit=10&cursor=${frequent.body.nextCursor}`),
        ];
      },
    ],
    [
      'finds passages, all and filtered, by words and around a seed',
      async () => [
        ...(await retrieveByEveryIndex()),
        await retrieve({ mode: 'boost', seeds: [SMALL.chunk], plan: 'hybrid-parallel' }),
      ],
    ],
    [
      'takes a new file, another content for it, and the same again',
      async () => [
        await platform.upload(WORKSPACE, 'new.txt', 'one'),
        await platform.upload(WORKSPACE, 'new.txt', 'two'),
        await platform.upload(WORKSPACE, 'new.txt', 'two'),
        await platform.upload(WORKSPACE, 'shared.txt', 'content 4'),
      ],
    ],
    [
      'deletes a file',
      async () => [await platform.request('DELETE', `/workspaces/${WORKSPACE}/files/${FILE(6)}`)],
    ],
  ])(
    'the api %s',
    async (_, requests) => {
      await platform.api.stop();
      const before = await scans(TABLE_SCANS);
      await platform.restartApi();
      for (const { status } of await requests()) expect(status).toBeLessThan(300);
      await platform.api.stop();
      expect(await scans(TABLE_SCANS)).toEqual(before);
    },
    60_000,
  );
});

describe('every index', () => {
  it('that is there for speed alone is used by a request or a task', async () => {
    await platform.api.stop();
    await query('SELECT pg_stat_reset()');
    await platform.restartApi();
    // Its task was lost: the sweep has to find it.
    await query(`UPDATE files SET status = 'pending', updated_at = now() - interval '1 hour' WHERE id = $1`, [
      FILE(8),
    ]);
    const worker = platform.spawn('worker', { WORKER_SWEEP_INTERVAL_MS: '200' });
    await worker.listening();

    for (const path of ['/workspaces', '/api-keys']) {
      const { body } = await platform.request('GET', path, { key: platform.adminKey });
      await platform.request('GET', `${path}?cursor=${body.nextCursor}`, { key: platform.adminKey });
    }
    await search('q=topic7');
    for (const { status } of await retrieveByEveryIndex()) expect(status).toBe(200);
    const withPassage = `/workspaces/${SMALL.workspaceId}/files/${SMALL.file}`;
    await platform.request('DELETE', withPassage, { key: platform.adminKey });
    const other = await platform.request('DELETE', `/workspaces/${uuid(1, 2)}`, { key: platform.adminKey });
    expect(other.status).toBe(204);
    await until(async () => {
      const rows = await query(`SELECT FROM storage_resources r WHERE NOT EXISTS
                                  (SELECT FROM file_storages s WHERE s.storage_resource_id = r.id)`);
      return rows.length === 0;
    });
    await platform.extracted(WORKSPACE);

    await Promise.all([platform.api.stop(), worker.stop()]);
    const used = await scans(INDEX_SCANS);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((it) => it.scans === 0)).toEqual([]);
  }, 120_000);
});
