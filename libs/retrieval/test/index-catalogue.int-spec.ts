import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bitsOf, bytesOf, signCode } from '@peregrine/ai/vectors';
import { CursorCodec } from '@peregrine/database';
import {
  foreignKeyChecks,
  indexUse,
  listIndexes,
  recordStatements,
  type SentStatement,
} from '@peregrine/database/testing';
import { DataSource } from 'typeorm';
import { ChunkStore, DocumentChunks, EdgeStore, RetrievalCalibration } from '../src/index.js';
import { IngestService } from '../src/ingest/ingest.service.js';
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
    // A row for each workspace; and the catalogue of PostgreSQL is its own.
    const isWrong = (table: string) => isOurs(table) && table !== 'retrieval_versions';
    expect(scans.filter((it) => isWrong(it.table))).toEqual([]);
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
       SELECT gen_random_uuid(), f.workspace_id, f.id, n - 1, 'type ' || (hashtext(f.path) & 63), 'shelf', to_tsvector('english', 'folder ' || f.path || ' shelf ' || n), 4,
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
    `INSERT INTO file_documents (file_id, workspace_id, name, path, body)
       SELECT id, workspace_id, name, path, '# A title' || chr(10) || '[x](7) by Ada Lovelace' FROM files`,
    `INSERT INTO retrieval_documents
       SELECT id, workspace_id, 1, 0, 'chosen-64', ARRAY[path, '[[' || path || ']]'] FROM files`,
    `INSERT INTO retrieval_links
       SELECT DISTINCT k.id, (hashtext(k.id::text || n) & 1023)::text, k.workspace_id FROM retrieval_chunks k CROSS JOIN generate_series(1, 2) n`,
    `INSERT INTO retrieval_entities
       SELECT DISTINCT k.id, 'name:' || (hashtext(k.id::text || n) & 4095), k.workspace_id FROM retrieval_chunks k CROSS JOIN generate_series(1, 2) n`,
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
  const codec = new CursorCodec('a-secret-of-at-least-32-characters');
  await fixture.get(DocumentChunks).list(workspace, documentId, { codec, limit: 10 });
  const document = { documentId, type, createdAt: new Date(), texts: ['another text'] };
  await fixture.get(ChunkStore).replace(workspace, document);
  await fixture.get(IngestService).ingest([documentId]);
}
