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
import {
  AuditService,
  BootstrapService,
  ConsolidationService,
  FeedbackService,
  MemoriesSweeper,
  MemoryQueryService,
  MemoryService,
} from '../src/index.js';
import { TermTotals } from '../src/statistics/term-totals.service.js';
import { hashingEmbedder, MemoriesFixture } from './memories-fixture.js';

const WORKSPACES = 40;
const MEMORIES = 40_000;

/** Counted as a whole: what waits is little, and the audit asks seldom. */
const SMALL_TABLES = ['memory_pending_embeddings', 'memory_term_changes', 'workspaces', 'memory_totals'];

/** The audit takes thousands of the newest of a workspace, and counts all of it. */
const READS_ALL = /^\s*WITH newest AS/;

const isOurs = (table: string) => /^memor/.test(table);

describe('the indexes of the memories', () => {
  let fixture: MemoriesFixture;
  let workspace: string;
  let sent: SentStatement[];

  beforeAll(async () => {
    fixture = await MemoriesFixture.start({ worker: false });
    workspace = await load(fixture);
    const source = fixture.get(DataSource);
    sent = [
      ...(await recordStatements(source, () => work(fixture, workspace))),
      ...(await foreignKeyChecks(source, isOurs)),
    ];
  }, 180_000);
  afterAll(() => fixture?.stop());

  it('serve every statement, and are each needed by one', async () => {
    const { used, scans } = await indexUse(fixture.get(DataSource), sent);
    expect(scans.filter((it) => !SMALL_TABLES.includes(it.table) && !READS_ALL.test(it.sql))).toEqual([]);
    const indexes = (await listIndexes(fixture.get(DataSource))).filter((it) => isOurs(it.table));
    expect(indexes.filter((it) => !used.has(it.name))).toEqual([]);
  }, 60_000);
});

/** 40,000 memories in 40 workspaces, by statements that take seconds. @returns one of them */
async function load(fixture: MemoriesFixture): Promise<string> {
  const vector = new Float32Array(384).fill(1);
  const statements = [
    `INSERT INTO workspaces (id, name) SELECT gen_random_uuid(), n FROM generate_series(1, ${WORKSPACES}) n`,
    `INSERT INTO memories (id, workspace_id, kind, content, content_hash, created_at)
       SELECT gen_random_uuid(), w.id, CASE WHEN n % 50 = 0 THEN 'summary' ELSE 'original' END,
              'a falcon of folder ' || n % 997 || ' and shelf ' || n, sha256(n::text::bytea), now() - n * interval '1 minute'
         FROM generate_series(1, ${MEMORIES}) n
         JOIN (SELECT id, row_number() OVER () AS k FROM workspaces) w ON w.k = n % ${WORKSPACES} + 1`,
    `UPDATE memories o SET summarised_by = s.id FROM memories s
      WHERE s.kind = 'summary' AND o.kind = 'original' AND o.workspace_id = s.workspace_id AND o.created_at = s.created_at + interval '${WORKSPACES} minutes'`,
    `INSERT INTO memory_words SELECT id, workspace_id, to_tsvector('english', content), 7 FROM memories`,
    `INSERT INTO memory_vectors SELECT id, workspace_id, 'local-hashing-384-v1', 384, '\\x${bytesOf(vector).toString('hex')}' FROM memories`,
    `INSERT INTO memory_codes SELECT id, workspace_id, 'local-hashing-384-v1', '${bitsOf(signCode(vector))}' FROM memories`,
    `INSERT INTO memory_states (memory_id, workspace_id, tier, uses, first_used_at, last_used_at, recent_uses)
       SELECT id, workspace_id, CASE WHEN random() < 0.01 THEN 'thread' ELSE 'active' END, 1, created_at, created_at,
              ARRAY[created_at] FROM memories`,
    `INSERT INTO memory_associations (first_id, second_id, workspace_id, times, last_at)
       SELECT least(a.id, b.id), greatest(a.id, b.id), a.workspace_id, 1 + (random() * 40)::int, now() - random() * interval '20 days'
         FROM memories a JOIN memories b ON b.workspace_id = a.workspace_id AND b.id <> a.id AND b.created_at = a.created_at - interval '${WORKSPACES} minutes'
       ON CONFLICT DO NOTHING`,
    `INSERT INTO memory_term_totals SELECT w.workspace_id, t.lexeme, count(*) FROM memory_words w, unnest(w.search) t GROUP BY 1, 2`,
    `INSERT INTO memory_totals SELECT workspace_id, count(*), 7 * count(*), 100 FROM memories GROUP BY 1`,
    `INSERT INTO memory_pending_embeddings SELECT id, workspace_id, now() - interval '1 day' * random() FROM memories`,
    `INSERT INTO memory_term_changes (workspace_id, search, word_count, sign)
       SELECT workspace_id, search, word_count, 1 FROM memory_words`,
    'VACUUM ANALYZE',
  ];
  for (const it of statements) await fixture.query(it);
  const [row] = await fixture.query<{ id: string }>(
    'SELECT workspace_id AS id FROM memories WHERE summarised_by IS NOT NULL ORDER BY id LIMIT 1',
  );
  return row?.id ?? '';
}

/** Every statement of the library, by those who send them. */
async function work(fixture: MemoriesFixture, workspace: string): Promise<void> {
  const { hits } = await fixture
    .get(MemoryQueryService)
    .query(workspace, { query: 'falcon of folder 77', limit: 20 });
  const [vector] = await hashingEmbedder().embed(['falcon'], { workspaceId: workspace });
  expect(vector).toHaveLength(384);
  await fixture.get(FeedbackService).flush();
  const memories = fixture.get(MemoryService);
  const id = hits[0]?.id ?? '';
  await memories.get(workspace, id);
  const page = await memories.associations(workspace, id, { limit: 1 });
  await memories.associations(workspace, id, { limit: 1, cursor: page.nextCursor ?? undefined });
  await fixture.get(BootstrapService).bootstrap(workspace, 50);
  await fixture.get(AuditService).audit(workspace);
  const [summary] = await fixture.query<{ id: string }>(
    `SELECT id FROM memories WHERE workspace_id = $1 AND kind = 'summary' LIMIT 1`,
    [workspace],
  );
  await fixture.get(ConsolidationService).consolidate(workspace, id);
  await fixture.get(ConsolidationService).undo(workspace, summary?.id ?? '');
  await memories.delete(workspace, id);
  await fixture.add(workspace, 'a new one');
  await fixture.get(TermTotals).uncounted(10);
  await fixture.get(TermTotals).count(workspace);
  const sweeper = fixture.get(MemoriesSweeper);
  const now = new Date();
  await sweeper.resubmitEmbeddings();
  await sweeper.demote(now);
  await sweeper.forgetPairs(now);
}
