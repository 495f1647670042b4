import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '@peregrine/database';
import { Platform } from './support/platform.js';

interface List {
  readonly route: string;
  readonly query: string;
  /** What its statements have in common, and no others have. */
  readonly statement: RegExp;
  /** What the statement selects, and nothing else. */
  readonly columns: readonly string[];
  /** Tells the items apart. */
  readonly key: string;
}

const PURGE = [
  ...['attempts', 'endedAt', 'error', 'id', 'kind', 'notBefore', 'position', 'provider', 'requestedAt'],
  ...['requests', 'sentAs', 'soft', 'state', 'value', 'verified'],
];

const LISTS: readonly List[] = [
  {
    route: '/workspaces',
    query: '',
    statement: /FROM "workspaces" "w"/,
    columns: ['createdAt', 'id', 'name', 'updatedAt'],
    key: 'id',
  },
  {
    route: '/workspaces/{workspaceId}/files',
    query: 'fields=path,status',
    statement: /FROM "files" "f" WHERE .* LIKE /,
    columns: ['path', 'status'],
    key: 'path',
  },
  {
    route: '/workspaces/{workspaceId}/search',
    query: 'q=falcon',
    statement: /^WITH page AS .* JOIN files f/s,
    columns: ['fileId', 'mediaType', 'name', 'path', 'rank', 'sizeBytes'],
    key: 'fileId',
  },
  {
    route: '/api-keys',
    query: '',
    statement: /FROM "api_keys" "k"/,
    columns: ['createdAt', 'expiresAt', 'id', 'name', 'revokedAt', 'scopes'],
    key: 'id',
  },
  {
    route: '/cdn/invalidations',
    query: '',
    statement: /FROM "cdn_invalidations" "i" WHERE "i"."ended_at" IS NULL/,
    columns: PURGE,
    key: 'value',
  },
  {
    route: '/cdn/invalidations',
    query: 'state=ended',
    statement: /FROM "cdn_invalidations" "i" WHERE "i"."ended_at" IS NOT NULL/,
    columns: PURGE,
    key: 'value',
  },
  {
    route: '/workspaces/{workspaceId}/syncs',
    query: '',
    statement: /FROM "storage_syncs" "s"/,
    columns: [
      ...['counts', 'createdAt', 'deletes', 'direction', 'dryRun', 'endedAt', 'error', 'expected', 'id'],
      ...['overwrites', 'problems', 'source', 'startedAt', 'state'],
    ],
    key: 'id',
  },
  {
    route: '/audit-events',
    query: '',
    statement: /FROM "audit_events" "a"/,
    columns: [
      ...['action', 'actorId', 'actorName', 'detail', 'event', 'id', 'occurredAt', 'requestId', 'subject'],
      ...['task', 'taskId'],
    ],
    key: 'id',
  },
  {
    route: '/memories/{memoryId}/associations',
    query: 'workspaceId={workspaceId}',
    statement: /FROM memory_associations/,
    columns: ['accesses', 'answers', 'content', 'lastAt', 'memoryId', 'otherAccesses', 'times'],
    key: 'memoryId',
  },
  {
    route: '/retrieval/documents/{documentId}/chunks',
    query: 'workspaceId={workspaceId}',
    statement: /FROM retrieval_chunks k WHERE .* ORDER BY/s,
    columns: ['chunkId', 'createdAt', 'place', 'text', 'type'],
    key: 'chunkId',
  },
];

interface Cursors {
  readonly nextCursor: string | null;
  readonly previousCursor: string | null;
}

/** Ranked in memory: figures of this process, what an analysis found; and the queue's own. */
const NOT_OF_TABLES = [
  ...['/optimizer/queries', '/optimizer/slow-queries', '/optimizer/recommendations', '/optimizer/indexes'],
  '/tasks/dead-letters',
];

/** Three purges of a CDN that is none of ours, and three that ended, two of them at the same time. */
const PURGES = `
INSERT INTO cdn_invalidations (provider, kind, value, soft, state, ended_at)
SELECT 'edge', 'path', state || n, false, state, CASE state WHEN 'done' THEN now() - (n / 2) * interval '1 s' END
  FROM generate_series(1, 3) n, unnest('{pending,done}'::text[]) AS t (state)`;

const EVENTS = `
INSERT INTO audit_events (actor_id, actor_name, action, subject, event, task, task_id)
SELECT gen_random_uuid(), 'a test', 'index.apply', 'index-recommendation/' || n, 'requested', 'indexes.apply', n
  FROM generate_series(1, 3) n`;

const SYNCS = `
INSERT INTO storage_syncs (id, workspace_id, pair_id, source, direction, dry_run, deletes, overwrites, state, ended_at)
SELECT gen_random_uuid(), id, gen_random_uuid(), '/srv', 'import', false, false, false, 'completed', now()
  FROM workspaces, generate_series(1, 3) n`;
/** One memory that was found with three others, with two of them equally often. */
const MEMORY = '00000000-0000-7000-8000-000000000000';
const ASSOCIATIONS = (workspaceId: string) => [
  `INSERT INTO memories (id, workspace_id, kind, content, content_hash)
   SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, '${workspaceId}', 'original', n, sha256(n::text::bytea)
     FROM generate_series(0, 3) n`,
  `INSERT INTO memory_states (memory_id, workspace_id, tier, uses, first_used_at, last_used_at, recent_uses)
   SELECT id, workspace_id, 'active', 1, now(), now(), ARRAY[now()] FROM memories`,
  `INSERT INTO memory_associations (first_id, second_id, workspace_id, times, last_at)
   SELECT '${MEMORY}', id, workspace_id, content::int / 2 + 1, now() FROM memories WHERE id <> '${MEMORY}'`,
];

/** A file in three passages. */
const DOCUMENT = '00000000-0000-7000-8000-0000000000d0';
const CHUNKS = (workspaceId: string) => [
  `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
   VALUES ('${DOCUMENT}', '${workspaceId}', 'passages', 'passages', 'text/plain', 1, '', 'extracted')`,
  `INSERT INTO retrieval_chunks (id, workspace_id, document_id, place, type, text, search, word_count, created_at)
   SELECT gen_random_uuid(), '${workspaceId}', '${DOCUMENT}', n, 'text/plain', n, '', 0, now() FROM generate_series(0, 2) n`,
];

let platform: Platform;
let workspace: string;

beforeAll(async () => {
  // Every page is asked of PostgreSQL.
  platform = await Platform.start({ env: { CACHE_ENABLED: 'false', QUERY_CACHE_ENABLED: 'false' } });
  workspace = await platform.createWorkspace('first');
  for (const name of ['second', 'third']) {
    await platform.createWorkspace(name);
    await platform.createKey(['content:read']);
  }
  for (const it of ['c.txt', 'a.txt', 'b.txt']) await platform.upload(workspace, it, 'a falcon in the sky');
  await platform.extracted(workspace);
  const source = await createDataSource({ url: platform.env['DATABASE_URL'] ?? '', poolMax: 1 }).initialize();
  try {
    const statements = [PURGES, EVENTS, SYNCS, ...ASSOCIATIONS(workspace), ...CHUNKS(workspace)];
    for (const it of statements) await source.query(it);
  } finally {
    await source.destroy();
  }
}, 120_000);
afterAll(() => platform?.stop());

const get = (path: string) => platform.request('GET', path, { key: platform.adminKey });

/** One item a page, to the end and back again. */
async function walk({ route, query, key }: List): Promise<{ forth: unknown[]; back: unknown[] }> {
  const pageAt = async (cursor: string | null) => {
    const path = `${route}?${query}`
      .replace('{workspaceId}', workspace)
      .replace('{memoryId}', MEMORY)
      .replace('{documentId}', DOCUMENT);
    const { status, body } = await get(`${path}&limit=1${cursor === null ? '' : `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    expect(body.items.length).toBeLessThanOrEqual(1);
    return { ...(body as Cursors), key: body.items[0]?.[key] as unknown };
  };
  let page = await pageAt(null);
  const forth: unknown[] = [page.key];
  while (page.nextCursor !== null) forth.push((page = await pageAt(page.nextCursor)).key);
  const back: unknown[] = [page.key];
  while (page.previousCursor !== null) back.push((page = await pageAt(page.previousCursor)).key);
  return { forth, back };
}

/** Every kind of statement that the api has sent, constants left out. */
async function statements(): Promise<string[]> {
  const sent: string[] = [];
  for (let cursor = ''; ;) {
    const { body } = await get(`/optimizer/queries?limit=100${cursor}`);
    sent.push(...body.items.map((it: { sql: string }) => it.sql));
    if (body.nextCursor === null) return sent;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

/** The names of what is selected; of a statement with a common table expression, by the statement itself. */
function selected(sql: string): string[] {
  const [, list = ''] = /.*\bSELECT (.*?) FROM (?!\()/s.exec(sql) ?? [];
  return list.split(', ').map((it) => /(\w+|\*)"?$/.exec(it)?.[1] ?? it);
}

describe('a list of the api', () => {
  it.each(LISTS)('is served page by page, there and back: $route $query', async (list) => {
    const { forth, back } = await walk(list);
    expect(forth.length).toBeGreaterThanOrEqual(3);
    expect(new Set(forth).size).toBe(forth.length);
    expect(back).toEqual(forth.toReversed());
  });

  it.each(LISTS)('selects what is shown, and never by an OFFSET: $route $query', async (list) => {
    await walk(list);
    const sent = await statements();
    const own = sent.filter((it) => list.statement.test(it));
    // The first page, those after a neighbour, and those before one.
    expect(own.length).toBeGreaterThanOrEqual(3);
    for (const sql of own) {
      expect(selected(sql).toSorted()).toEqual(list.columns);
      expect(sql).toMatch(/\bLIMIT\b/);
    }
    expect(sent.filter((it) => /\bOFFSET\b/i.test(it))).toEqual([]);
  });

  it('does not show the key of its order where only other fields were asked for', async () => {
    const { body } = await get(`/workspaces/${workspace}/files?fields=name&limit=2`);
    expect(body.items).toEqual([{ name: 'a.txt' }, { name: 'b.txt' }]);
  });

  it('is one of these', async () => {
    const { paths } = (await get('/docs-json')).body as {
      paths: Record<string, { get?: { parameters?: { name: string }[] } }>;
    };
    const paged = Object.entries(paths)
      .filter(([, { get }]) => get?.parameters?.some(({ name }) => name === 'cursor'))
      .map(([path]) => path.replace('/api/v1', ''));
    const known = new Set([...LISTS.map((it) => it.route), ...NOT_OF_TABLES]);
    expect(paged.toSorted()).toEqual([...known].toSorted());
  });
});
