import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  foreignKeyChecks,
  indexUse,
  listIndexes,
  recordStatements,
  type SentStatement,
  until,
} from '@peregrine/database/testing';
import { withLoaders } from '@peregrine/query-optimizer';
import { TaskQueue } from '@peregrine/task-queue';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import {
  ContentSweeper,
  FileContentService,
  FileService,
  reindexWorkspace,
  SearchService,
  SyncService,
  WorkspaceService,
} from '../src/index.js';
import { ContentFixture } from './content-fixture.js';
import { API_KEY, LARGE_WORKSPACE, loadRealisticVolumes } from './realistic-volumes.js';

const CATALOGUE = new URL('../../../docs/index-catalogue.md', import.meta.url);

/** What other packages ask of tables of these migrations; as in the file that is named. */
const OTHERS: readonly (SentStatement & { readonly of: string })[] = [
  {
    of: 'apps/api/src/access/api-key.service.ts',
    sql: 'SELECT k.id, k.scopes FROM api_keys k WHERE k.key_hash = $1 AND k.revoked_at IS NULL',
    parameters: [Buffer.from('07', 'hex')],
  },
  {
    of: 'apps/api/src/access/api-key.service.ts',
    sql: `SELECT k.id, k.name FROM api_keys k WHERE (k.created_at, k.id) > ($1::timestamptz, $2::uuid)
          ORDER BY k.created_at ASC, k.id ASC LIMIT 51`,
    parameters: ['2026-01-01T00:00:00Z', LARGE_WORKSPACE],
  },
  {
    of: 'apps/api/src/access/api-key.service.ts',
    sql: 'UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1',
    parameters: [LARGE_WORKSPACE],
  },
  {
    of: 'libs/task-queue/src/transactional/outbox-table.ts',
    sql: `SELECT id, task FROM task_outbox WHERE queue = $1 AND task = ANY($2::text[]) AND not_before <= now()
          ORDER BY position LIMIT $3 FOR UPDATE SKIP LOCKED`,
    parameters: ['peregrine', ['extract-text'], 100],
  },
  {
    of: 'libs/query-optimizer/src/slow-queries/slow-query-history.ts',
    sql: `INSERT INTO peregrine_slow_queries (hour, fingerprint, process, sql, kind, calls, slow_calls, errors, rows,
            total_ms, max_ms, latency) VALUES (now(), 'f', gen_random_uuid(), '', '', 1, 1, 0, 0, 1, 1, '{}')
          ON CONFLICT (hour, fingerprint, process) DO UPDATE SET calls = excluded.calls`,
    parameters: [],
  },
  {
    of: 'libs/query-optimizer/src/slow-queries/slow-query-history.ts',
    sql: `INSERT INTO peregrine_query_plans (fingerprint, hash, outline, is_generic, first_seen_at, last_seen_at, samples,
            total_cost) VALUES ('f', 'h', '', false, now(), now(), 1, 1)
          ON CONFLICT (fingerprint, hash) DO UPDATE SET samples = excluded.samples`,
    parameters: [],
  },
  {
    of: 'libs/query-optimizer/src/index-builder/index-ledger.ts',
    sql: `UPDATE peregrine_index_ledger SET status = 'kept' WHERE id = $1`,
    parameters: [1],
  },
  {
    of: 'libs/query-optimizer/src/adaptive/recommendation-store.ts',
    sql: `UPDATE peregrine_index_recommendations SET last_seen_at = now() WHERE id = $1`,
    parameters: ['0123456789ab'],
  },
  {
    of: 'libs/query-optimizer/src/adaptive/round-store.ts',
    sql: 'SELECT id, mode, outcome FROM peregrine_index_rounds ORDER BY id DESC LIMIT 20',
    parameters: [],
  },
  {
    of: 'libs/runtime/src/audit/audit-trail.ts',
    sql: 'SELECT id, action, event FROM audit_events ORDER BY id DESC LIMIT 51',
    parameters: [],
  },
  {
    of: 'libs/task-queue/src/transactional/outbox-table.ts',
    sql: 'DELETE FROM task_outbox WHERE id = ANY($1::uuid[])',
    parameters: [[LARGE_WORKSPACE]],
  },
];

/** PostgreSQL itself, for a reference to a table that nothing else looks up by its key. */
const REFERENCES: typeof OTHERS = [
  {
    of: 'storage_sync_entries_pair_id_fkey',
    sql: 'SELECT 1 FROM ONLY storage_sync_pairs x WHERE id = $1 FOR KEY SHARE OF x',
    parameters: [LARGE_WORKSPACE],
  },
];

/** Those of the CDN come with its table. */
const CDN: typeof OTHERS = [
  {
    of: 'libs/runtime/src/cdn/postgres-invalidation-queue.ts',
    sql: `INSERT INTO cdn_invalidations (provider, kind, value, soft) VALUES ($1, 'tag', $2, false)
          ON CONFLICT (provider, kind, value, soft) WHERE state = 'pending' DO UPDATE SET requests = 2`,
    parameters: ['fastly', 'a tag'],
  },
  {
    of: 'libs/runtime/src/cdn/postgres-invalidation-queue.ts',
    sql: 'SELECT id FROM cdn_invalidations WHERE provider = $1 AND ended_at IS NULL ORDER BY position LIMIT 50',
    parameters: ['fastly'],
  },
  {
    of: 'libs/runtime/src/cdn/postgres-invalidation-queue.ts',
    sql: 'SELECT id FROM cdn_invalidations WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, position DESC LIMIT 50',
    parameters: [],
  },
  {
    of: 'libs/runtime/src/cdn/postgres-invalidation-queue.ts',
    sql: `UPDATE cdn_invalidations SET state = 'failed' WHERE id = $1`,
    parameters: [LARGE_WORKSPACE],
  },
];

/** They look at every row of a table, and mean to: once an hour, or once an import. */
const READS_ALL: readonly RegExp[] = [
  // Contents that nothing refers to: an anti-join over all of them.
  /FROM storage_resources r\s+WHERE r\.created_at < now\(\) - interval '1 hour'/,
  /SELECT 1 FROM storage_objects LIMIT 1/,
];
/** Of some rows only: every process keeps a copy, or has one row. */
const SMALL_TABLES = ['feature_overrides', 'service_processes', 'migrations'];
/** Proven where they are used: `test/index-catalogue.int-spec.ts` of libs/memories, libs/ai and libs/retrieval. */
const isProvenElsewhere = (table: string) => /^(memories|memory_|ai_|retrieval_)/.test(table);

describe('the index catalogue', () => {
  let content: ContentFixture;
  let source: DataSource;
  let sent: SentStatement[];

  beforeAll(async () => {
    content = await ContentFixture.start();
    await loadRealisticVolumes(content);
    source = content.get(DataSource);
    sent = [
      ...(await recordStatements(source, work)),
      ...[...OTHERS, ...REFERENCES, ...((await tables()).has('cdn_invalidations') ? CDN : [])],
      ...(await foreignKeyChecks(source, (table) => !isProvenElsewhere(table))),
    ];
  }, 120_000);
  afterAll(() => content?.stop());

  /** Every query of the workload, by those who make them. */
  async function work(): Promise<void> {
    const workspaces = content.get(WorkspaceService);
    const files = content.get(FileService);
    const made = await workspaces.create('made', { grantTo: API_KEY });
    await workspaces.rename(made.id, 'renamed');
    await withLoaders(() => workspaces.isVisible(LARGE_WORKSPACE, { grantedTo: API_KEY }));
    const first = await workspaces.list({ visibleTo: 'all', limit: 50 });
    await workspaces.list({ visibleTo: 'all', limit: 50, cursor: first.nextCursor ?? undefined });
    await workspaces.list({ visibleTo: { grantedTo: API_KEY }, limit: 50 });
    const page = await files.list(LARGE_WORKSPACE, { limit: 50, pathPrefix: 'folder 7/' });
    await files.list(LARGE_WORKSPACE, {
      limit: 50,
      pathPrefix: 'folder 7/',
      cursor: page.nextCursor ?? undefined,
    });
    await files.list(LARGE_WORKSPACE, { limit: 50 });
    await files.statistics(LARGE_WORKSPACE);
    const { file } = await content.upload(made.id, 'a.txt', 'some words');
    await content.upload(made.id, 'a.txt', 'other words');
    await content.extracted(made.id);
    await files.get(made.id, file.id);
    await content.get(FileContentService).locate(made.id, file.id);
    await content.get(SearchService).search(LARGE_WORKSPACE, { query: 'falcon 77', limit: 10 });
    const queue = content.get(TaskQueue);
    const { id } = await queue.submit(reindexWorkspace, { workspaceId: made.id });
    await queue.waitFor(reindexWorkspace, id, { timeoutMs: 40_000 });
    await content.extracted(made.id);
    await sync(made.id);
    await content.get(ContentSweeper).resubmitExtractions();
    await content.get(ContentSweeper).releaseUnused();
    await content.get(ContentSweeper).removeOrphans(new Date(0));
    await files.delete(made.id, file.id);
    await workspaces.delete(made.id);
  }

  async function sync(workspaceId: string): Promise<void> {
    const syncs = content.get(SyncService);
    await writeFile(join(content.deployment.syncRoot, 'a file'), 'some words');
    const wish = { source: content.deployment.syncRoot, direction: 'import' as const };
    const { id } = await syncs.start(workspaceId, wish);
    await until(async () => (await syncs.get(workspaceId, id)).endedAt !== null);
    const first = await syncs.list(LARGE_WORKSPACE, { limit: 2 });
    await syncs.list(LARGE_WORKSPACE, { limit: 2, cursor: first.nextCursor ?? undefined });
  }

  it('serves every query of the workload by an index, and needs each of them', async () => {
    const { used, scans } = await indexUse(source, sent);
    const isMeant = ({ table, sql }: { table: string; sql: string }) =>
      SMALL_TABLES.includes(table) || READS_ALL.some((meant) => meant.test(sql));
    expect(scans.filter((it) => !isMeant(it))).toEqual([]);
    expect(sent.length).toBeGreaterThan(30);
    const unused = (await listIndexes(source)).filter(
      (it) => !used.has(it.name) && !SMALL_TABLES.includes(it.table) && !isProvenElsewhere(it.table),
    );
    expect(unused).toEqual([]);
  }, 60_000);

  it('is what the documentation says', async () => {
    const text = await readFile(CATALOGUE, 'utf8');
    const made = await tables();
    const listed = [...text.matchAll(/^\| `(\w+)` +\| `(\w+)`/gm)]
      .filter(([, , table = '']) => made.has(table))
      .map(([, name]) => name);
    const there = (await listIndexes(source)).filter((it) => it.table !== 'migrations').map((it) => it.name);
    expect(listed.toSorted()).toEqual(there.toSorted());
  });

  async function tables(): Promise<Set<string>> {
    return new Set((await listIndexes(source)).map((it) => it.table));
  }
});
