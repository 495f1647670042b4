import { type ContentFixture } from './content-fixture.js';

/** It has half of the files. */
export const LARGE_WORKSPACE = '00000000-0000-7000-8000-000000000001';
export const SMALL_WORKSPACE = '00000000-0000-7000-8000-000000000002';
export const API_KEY = '10000000-0000-7000-8000-000000000001';

const WORKSPACES = 2_000;
const FILES = 100_000;

const id = (kind: string, n: string) =>
  `('${kind}0000000-0000-7000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;

const CDN_INVALIDATIONS = `
  INSERT INTO cdn_invalidations (provider, kind, value, soft, state, ended_at)
  SELECT 'fastly', 'tag', 'tag ' || n, false, state, CASE WHEN state = 'done' THEN now() END
  FROM generate_series(1, 20000) n, LATERAL (SELECT CASE WHEN n % 100 = 0 THEN 'pending' ELSE 'done' END AS state) s`;

/** What a deployment has after some years, by statements that take seconds: 100,000 files in 2,000 workspaces. */
export async function loadRealisticVolumes(content: ContentFixture): Promise<void> {
  const statements = [
    `INSERT INTO workspaces (id, name, created_at)
       SELECT ${id('0', 'n')}, 'workspace ' || n, now() - n * interval '1 minute' FROM generate_series(1, ${WORKSPACES}) n`,
    `INSERT INTO api_keys (id, name, key_hash, scopes, created_at)
       SELECT ${id('1', 'n')}, 'key ' || n, decode(lpad(to_hex(n), 8, '0'), 'hex'), '{}', now() - n * interval '1 hour'
       FROM generate_series(1, 5000) n`,
    `INSERT INTO api_key_workspaces (api_key_id, workspace_id)
       SELECT ${id('1', 'n % 5000 + 1')}, ${id('0', 'n % 2000 + 1')} FROM generate_series(1, 20000) n ON CONFLICT DO NOTHING`,
    `INSERT INTO storage_resources (id, sha256, driver, object_key, size_bytes, created_at)
       SELECT ${id('2', 'n')}, encode(sha256(n::text::bytea), 'hex'), 'folder', ${id('3', 'n')}, n, now() - interval '1 day'
       FROM generate_series(1, ${FILES}) n`,
    `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status, updated_at)
       SELECT ${id('4', 'n')}, CASE WHEN n % 2 = 0 THEN ${id('0', '1')} ELSE ${id('0', `n % ${WORKSPACES} + 1`)} END,
              'folder ' || n % 100 || '/file ' || n || '.txt', 'file ' || n || '.txt', 'text/plain', n,
              encode(sha256(n::text::bytea), 'hex'), CASE WHEN n % 500 = 0 THEN 'pending' ELSE 'extracted' END, now()
       FROM generate_series(1, ${FILES}) n`,
    `INSERT INTO file_storages (file_id, storage_resource_id)
       SELECT ${id('4', 'n')}, ${id('2', 'n')} FROM generate_series(1, ${FILES}) n`,
    `INSERT INTO file_documents (file_id, workspace_id, name, path, body)
       SELECT id, workspace_id, name, path, CASE WHEN size_bytes % 7 = 0 THEN 'a falcon of ' ELSE 'some words of ' END || name
       FROM files`,
    `INSERT INTO storage_objects (key, data, size_bytes)
       SELECT ${id('5', 'n')}, '\\x00', 1 FROM generate_series(1, 20000) n`,
    `INSERT INTO task_outbox (id, queue, task, task_id, payload, schema_version, priority, delay_ms, submitted_at)
       SELECT ${id('6', 'n')}, 'peregrine', 'extract-text', 'task-' || n, '{}', 1, 'NORMAL', 0, now()
       FROM generate_series(1, 20000) n`,
    // A round an hour for 90 days.
    `INSERT INTO peregrine_index_rounds (mode, outcome) SELECT 'apply', 'completed' FROM generate_series(1, 2160)`,
    `INSERT INTO peregrine_index_ledger (recommendation, plan, status, actor)
       SELECT n, '{}', 'dropped', 'a round' FROM generate_series(1, 2000) n`,
    `INSERT INTO peregrine_index_recommendations (id, state, plan, statement, reasons, improvement, size_bytes,
         build_ms_estimate, write_cost, serves, rank)
       SELECT n, 'dropped', '{}', '', '[]', '{}', 1, 1, '{}', '[]', 0 FROM generate_series(1, 2000) n`,
    `INSERT INTO audit_events (actor_id, actor_name, action, subject, event, task, task_id)
       SELECT ${id('1', 'n % 10')}, 'operator ' || n % 10, 'index.apply', 'index-recommendation/' || n, 'requested', 'indexes.apply', n
       FROM generate_series(1, 2000) n`,
    `INSERT INTO storage_sync_pairs (id, workspace_id, source)
       SELECT ${id('7', 'n')}, ${id('0', 'n')}, '/srv/documents/' || n FROM generate_series(1, ${WORKSPACES}) n`,
    `INSERT INTO storage_sync_entries (pair_id, path, version, sha256, is_settled)
       SELECT ${id('7', `n % ${WORKSPACES} + 1`)}, 'file ' || n, n::text, encode(sha256(n::text::bytea), 'hex'), true
       FROM generate_series(1, 50000) n`,
    `INSERT INTO storage_syncs (id, workspace_id, pair_id, source, direction, dry_run, deletes, overwrites, state, ended_at)
       SELECT ${id('8', 'n')}, ${id('0', `n % ${WORKSPACES} + 1`)}, ${id('7', `n % ${WORKSPACES} + 1`)}, '/srv', 'import', false,
              false, false, CASE WHEN n <= ${WORKSPACES / 2} THEN 'running' ELSE 'completed' END,
              CASE WHEN n <= ${WORKSPACES / 2} THEN NULL ELSE now() END
       FROM generate_series(1, 20000) n`,
  ];
  for (const it of statements) await content.query(it);
  const [cdn] = await content.query<{ exists: boolean }>(
    `SELECT to_regclass('cdn_invalidations') IS NOT NULL AS exists`,
  );
  if (cdn?.exists) await content.query(CDN_INVALIDATIONS);
  await content.query('VACUUM ANALYZE');
}
