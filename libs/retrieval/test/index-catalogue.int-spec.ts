import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bitsOf, bytesOf, signCode } from '@peregrine/ai/vectors';
import {
  foreignKeyChecks,
  indexUse,
  listIndexes,
  recordStatements,
  type SentStatement,
} from '@peregrine/database/testing';
import { DataSource } from 'typeorm';
import { ChunkStore, EdgeStore, RetrievalCalibration } from '../src/index.js';
import { DIMENSIONS, RetrievalFixture } from './retrieval-fixture.js';

const WORKSPACES = 20;
const FILES = 1_000;
const CHUNKS_PER_FILE = 20;

const isOurs = (table: string) => table.startsWith('retrieval_');

describe('the indexes of retrieval', () => {
  let fixture: RetrievalFixture;
  let sent: SentStatement[];

  beforeAll(async () => {
    fixture = await RetrievalFixture.start();
    const chunk = await load(fixture);
    const source = fixture.get(DataSource);
    sent = [
      ...(await recordStatements(source, () => work(fixture, chunk))),
      ...(await foreignKeyChecks(source, isOurs)),
    ];
  }, 300_000);
  afterAll(() => fixture?.stop());

  it('serve every statement, and are each needed by one', async () => {
    const { used, scans } = await indexUse(fixture.get(DataSource), sent);
    // A row for each workspace.
    const large = scans.filter((it) => isOurs(it.table) && it.table !== 'retrieval_versions');
    expect(large).toEqual([]);
    const indexes = (await listIndexes(fixture.get(DataSource))).filter((it) => isOurs(it.table));
    expect(indexes.filter((it) => !used.has(it.name))).toEqual([]);
  }, 60_000);
});

/** A chunk, and one that it is linked to. */
interface LinkedChunk {
  readonly workspace: string;
  readonly id: string;
  readonly documentId: string;
  readonly type: string;
  readonly other: string;
}

/** 20,000 chunks in 20 workspaces, by statements that take seconds. @returns one of them */
async function load(fixture: RetrievalFixture): Promise<LinkedChunk> {
  const vector = new Float32Array(DIMENSIONS).fill(1);
  const statements = [
    `INSERT INTO workspaces (id, name) SELECT gen_random_uuid(), n FROM generate_series(1, ${WORKSPACES}) n`,
    `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
       SELECT gen_random_uuid(), w.id, n::text, n::text, 'text/markdown', 1, '', 'extracted' FROM generate_series(1, ${FILES}) n
         JOIN (SELECT id, row_number() OVER () AS k FROM workspaces) w ON w.k = n % ${WORKSPACES} + 1`,
    `INSERT INTO retrieval_chunks (id, workspace_id, document_id, place, type, text, search, word_count, created_at)
       SELECT gen_random_uuid(), f.workspace_id, f.id, n, 'type ' || (hashtext(f.path) & 63), 'shelf', to_tsvector('english', 'folder ' || f.path || ' shelf ' || n), 4,
              now() - f.path::integer * interval '1 day'
         FROM files f CROSS JOIN generate_series(1, ${CHUNKS_PER_FILE}) n`,
    `INSERT INTO retrieval_vectors
       SELECT id, workspace_id, 'chosen-64', ${DIMENSIONS}, '\\x${bytesOf(vector).toString('hex')}' FROM retrieval_chunks`,
    `INSERT INTO retrieval_codes
       SELECT id, workspace_id, 'chosen-64', document_id, type, created_at, '${bitsOf(signCode(vector))}' FROM retrieval_chunks`,
    `INSERT INTO retrieval_edges
       SELECT a.id, b.id, 'next', a.workspace_id, random() * 0.9 + 0.1 FROM retrieval_chunks a
         JOIN retrieval_chunks b ON b.document_id = a.document_id AND b.id <> a.id`,
    `INSERT INTO retrieval_degrees SELECT id, ${CHUNKS_PER_FILE - 1}, ${CHUNKS_PER_FILE} FROM retrieval_chunks`,
    'INSERT INTO retrieval_versions SELECT id, 1 FROM workspaces',
    `INSERT INTO retrieval_calibration (embedder, needed_z, floor, k, source)
       SELECT 'model ' || n % 20, 2, 0.95, 10, 'query' FROM generate_series(1, 20000) n`,
    'VACUUM ANALYZE',
  ];
  for (const it of statements) await fixture.query(it);
  const [chunk] = await fixture.query<LinkedChunk>(
    `SELECT k.workspace_id AS workspace, k.id, k.document_id AS "documentId", k.type, e.target_id AS other
       FROM retrieval_chunks k JOIN retrieval_edges e ON e.source_id = k.id LIMIT 1`,
  );
  if (!chunk) throw new Error('Nothing was loaded');
  return chunk;
}

/** Every statement of the library, by those who send them. */
async function work(
  fixture: RetrievalFixture,
  { workspace, id, documentId, type, other }: LinkedChunk,
): Promise<void> {
  const filters = [
    {},
    { types: [type], createdFrom: new Date(Date.now() - 100 * 86_400_000) },
    { documentIds: [documentId] },
  ];
  for (const filter of filters) {
    for (const plan of ['filtered-vector', 'cached-partial', 'vector-first'] as const) {
      await fixture.service.query(workspace, { text: 'folder 77', filter, plan });
    }
    await fixture.service.query(workspace, { text: 'folder 77', filter, mode: 'boost', seeds: [id] });
    await fixture.service.query(workspace, { text: 'folder 77', filter, mode: 'within', seeds: [id] });
  }
  await fixture.get(EdgeStore).link(workspace, [{ from: id, to: other, type: 'link', weight: 1 }]);
  await fixture.get(RetrievalCalibration).calibrate(workspace, { queries: 2 });
  const document = { documentId, type, createdAt: new Date(), texts: ['another text'] };
  await fixture.get(ChunkStore).replace(workspace, document);
}
