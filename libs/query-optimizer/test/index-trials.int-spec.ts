import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { type WorkloadStatement } from '../src/advisor/advice.js';
import { InvalidIndexPlanError } from '../src/index-builder/index-builder.errors.js';
import { type IndexTrialOptionsInput } from '../src/index-builder/index-builder.options.js';
import { IndexTrials } from '../src/index-builder/index-trial.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

const ROWS = 60_000;
const SCHEMA = `
  CREATE TABLE file (id int PRIMARY KEY, workspace_id int NOT NULL, name text NOT NULL, size int NOT NULL);
  INSERT INTO file SELECT n, n % 3000, 'File ' || n, n % 100 FROM generate_series(1, ${ROWS}) n;
  CREATE TABLE "we""ird'; DROP TABLE file; --" ("co""l; --" int);
  INSERT INTO "we""ird'; DROP TABLE file; --" SELECT generate_series(1, 20000);
  CREATE TABLE event (at date NOT NULL, kind int NOT NULL) PARTITION BY RANGE (at);
  CREATE TABLE event_a PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE event_b PARTITION OF event FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY LIST (kind);
  CREATE TABLE event_b1 PARTITION OF event_b FOR VALUES IN (1, 2, 3);
  CREATE TABLE event_b2 PARTITION OF event_b DEFAULT;
  INSERT INTO event SELECT date '2026-01-01' + n % 59, n % 500 FROM generate_series(1, 30000) n;
`;
const FILES = { schema: 'public', name: 'file' };
const BY_WORKSPACE = {
  id: 'aaaaaaaaaaaa',
  table: FILES,
  indexName: 'file_workspace_id_idx',
  keys: ['workspace_id'],
};
const OF_WORKSPACE: WorkloadStatement = {
  id: 'files of a workspace',
  text: 'SELECT * FROM file WHERE workspace_id = $1',
  parameters: [17],
  calls: 100,
  totalMs: 1_000,
};

describe('trials of indexes', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  const pools: pg.Pool[] = [];
  const poolAs = (url: string) => {
    const one = new pg.Pool({ connectionString: url, max: 4 });
    one.on('error', () => undefined);
    pools.push(one);
    return one;
  };
  const trials = (options: Partial<IndexTrialOptionsInput> = {}) =>
    new IndexTrials({ source: pool, lockTimeoutMs: 5_000, retryMs: 1, progressEveryMs: 1, ...options });
  /** Meanwhile somebody holds a lock, or a snapshot. */
  const meanwhile = async (holding: string, work: (release: () => Promise<unknown>) => Promise<void>) => {
    const blocker = await pool.connect();
    try {
      await blocker.query(`BEGIN; ${holding}`);
      await work(() => blocker.query('ROLLBACK'));
    } finally {
      blocker.release(true);
    }
  };
  const building = async () =>
    (await database.run('SELECT 1 FROM pg_stat_progress_create_index WHERE datname = current_database()'))
      .length;
  const indexes = async () =>
    (
      await database.run<{ name: string }>(`SELECT indexrelid::regclass::text AS name FROM pg_index
        WHERE indrelid::regclass::text !~ '^pg_' AND NOT indisprimary ORDER BY 1`)
    ).map((it) => it.name);

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(SCHEMA);
    await database.run('VACUUM ANALYZE');
    pool = poolAs(database.url);
  });
  beforeEach(() => database.run('DROP TABLE IF EXISTS peregrine_index_ledger'));
  afterEach(async () => {
    for (const name of await indexes()) {
      if (!/^event_b.*_p/.test(name)) await database.run(`DROP INDEX IF EXISTS ${name}`);
    }
  });
  afterAll(async () => {
    await Promise.all(pools.map((it) => it.end()));
    await database.drop();
  });

  it('keeps what measures better, and says so in the ledger', async () => {
    const [entry] = await trials({ actor: 'a test' }).run([
      { plan: BY_WORKSPACE, statements: [OF_WORKSPACE] },
    ]);
    expect(entry).toMatchObject({ status: 'kept', actor: 'a test', recommendation: BY_WORKSPACE.id });
    expect(entry?.decision).toMatch(/^Kept: 1 statements, weighted by calls: [\d.]+ % less time$/);
    expect(entry?.measurements).toEqual([
      { statement: OF_WORKSPACE.id, calls: 100, beforeMs: expect.any(Number), afterMs: expect.any(Number) },
    ]);
    expect(entry?.definition).toContain('ON public.file USING btree (workspace_id)');
    expect(entry?.sizeBytes).toBeGreaterThan(100_000);
    expect(await indexes()).toEqual(['file_workspace_id_idx']);
    expect(await trials().ledger()).toEqual([entry]);
  });

  it('builds nothing twice', async () => {
    const [first] = await trials().run([{ plan: BY_WORKSPACE, statements: [] }]);
    const [second] = await trials().run([{ plan: BY_WORKSPACE, statements: [] }]);
    expect(second).toEqual(first);
    expect(first?.decision).toBe('Kept on the estimate: none of its statements could be measured');
  });

  it('drops what does not help', async () => {
    const plan = { ...BY_WORKSPACE, id: 'b', indexName: 'file_size_idx', keys: ['size'] };
    const statements = [
      { ...OF_WORKSPACE, text: 'SELECT count(*) FROM file WHERE name > $1', parameters: [''] },
    ];
    // However busy the machine is: it is the gain that this is about.
    const [entry] = await trials({ minGain: 0.5, maxRegression: 1_000 }).run([{ plan, statements }]);
    expect(entry).toMatchObject({ status: 'dropped' });
    expect(entry?.decision).toContain('and 50.0 % is asked for');
    expect(await indexes()).toEqual([]);
  });

  it('reverts what it has built, and nothing else', async () => {
    const [entry] = await trials().run([{ plan: BY_WORKSPACE, statements: [] }]);
    const id = entry?.id ?? '';
    await database.run('DROP INDEX file_workspace_id_idx; CREATE INDEX file_workspace_id_idx ON file (size)');
    await expect(trials().revert(id)).rejects.toMatchObject({
      code: 'QUERY_INDEX_BUILD',
      failure: 'changed',
    });
    expect(await indexes()).toEqual(['file_workspace_id_idx']);
    await database.run(
      'DROP INDEX file_workspace_id_idx; CREATE INDEX file_workspace_id_idx ON file (workspace_id)',
    );
    expect(await trials({ actor: 'ann' }).revert(id)).toMatchObject({
      status: 'reverted',
      decision: 'Reverted by ann',
    });
    expect(await indexes()).toEqual([]);
    await expect(trials().revert(id)).rejects.toMatchObject({ code: 'QUERY_INDEX_LEDGER' });
    for (const wrong of ['999', 'x', '1; DROP TABLE file']) {
      await expect(trials().revert(wrong)).rejects.toMatchObject({ code: 'QUERY_INDEX_LEDGER' });
    }
  });

  it('builds on each partition, also of partitions, and joins the parts', async () => {
    const plan = {
      id: 'c',
      table: { schema: 'public', name: 'event' },
      indexName: 'event_kind_idx',
      keys: ['kind'],
      isPartitioned: true,
    };
    const statement = { text: 'SELECT count(*) FROM event WHERE kind = 7', calls: 1, totalMs: 1 };
    const [entry] = await trials().run([{ plan, statements: [statement] }]);
    expect(entry).toMatchObject({ status: 'kept' });
    expect(entry?.sizeBytes).toBeGreaterThan(50_000);
    expect(await indexes()).toEqual(['event_kind_idx', ...[1, 2, 3, 4].map((it) => `event_kind_idx_p${it}`)]);
    const [{ invalid }] = (await database.run(
      'SELECT count(*)::int AS invalid FROM pg_index WHERE NOT indisvalid',
    )) as [{ invalid: number }];
    expect(invalid).toBe(0);
    await trials().revert(entry?.id ?? '');
    expect(await indexes()).toEqual([]);
  });

  it('takes any name for a name', async () => {
    const plan = {
      id: 'd',
      table: { schema: 'public', name: `we"ird'; DROP TABLE file; --` },
      indexName: `"; DROP TABLE file; --`,
      keys: [`"co""l; --"`],
    };
    const [entry] = await trials().run([{ plan, statements: [] }]);
    expect(entry).toMatchObject({ status: 'kept' });
    await trials().revert(entry?.id ?? '');
    expect((await database.run('SELECT count(*)::int AS n FROM file'))[0]).toEqual({ n: ROWS });
  });

  it.each([
    ['a statement in a column', { keys: ['id); DROP TABLE file; --'] }],
    ['two columns in one', { keys: ['id, size'] }],
    ['a place on the disk', { keys: ['id) TABLESPACE elsewhere --'] }],
    ['options', { keys: ['id) WITH (fillfactor = 10) --'] }],
    ['a condition that is more', { predicate: 'true; DROP TABLE file' }],
    ['a condition in a column', { keys: ['id) WHERE (true'] }],
    ['no column', { keys: [] }],
    ['another method', { method: 'gist' }],
    ['a name that is too long', { indexName: 'x'.repeat(64) }],
    ['an extension that it does not need', { prerequisites: ['CREATE EXTENSION IF NOT EXISTS plpython3u'] }],
    ['no table', { table: undefined }],
  ])('refuses %s', async (_what, part) => {
    const run = trials().run([{ plan: { ...BY_WORKSPACE, ...part }, statements: [] }]);
    await expect(run).rejects.toThrow(InvalidIndexPlanError);
    expect(await trials().ledger()).toEqual([]);
  });

  it('runs nothing that writes, and says of each statement why it was not measured', async () => {
    const texts = [
      'DELETE FROM file',
      'SELECT 1; DROP TABLE file',
      'SELEC',
      'SELECT * FROM file WHERE id = $1',
      '',
    ];
    const statements = texts.map((text) => ({ text, calls: 1, totalMs: 1 }));
    const [entry] = await trials({ requireMeasurement: true }).run([{ plan: BY_WORKSPACE, statements }]);
    expect(entry).toMatchObject({ status: 'dropped' });
    expect(entry?.measurements.map((it) => it.problem)).toEqual([
      'only statements that read are run',
      expect.stringContaining('holds 2 statements'),
      'only statements that read are run',
      'the values of its parameters are not known',
      expect.stringContaining('no statement'),
    ]);
    expect((await database.run('SELECT count(*)::int AS n FROM file'))[0]).toEqual({ n: ROWS });
  });

  it('gives up on a table that stays locked, and leaves nothing', async () => {
    await meanwhile('LOCK TABLE file IN SHARE ROW EXCLUSIVE MODE', async (release) => {
      const [entry] = await trials({ lockTimeoutMs: 50, attempts: 2 }).run([
        { plan: BY_WORKSPACE, statements: [] },
      ]);
      expect(entry).toMatchObject({ status: 'failed', decision: expect.stringContaining('lock timeout') });
      await release();
      expect(await indexes()).toEqual([]);
    });
  });

  it('takes what a transaction that lasts has left half built away, and builds it when that has ended', async () => {
    await meanwhile(
      'SELECT count(*) FROM file; UPDATE file SET size = size WHERE id = 1',
      async (release) => {
        const phases = new Set<string>();
        const run = trials({ lockTimeoutMs: 100, attempts: 20, retryMs: 10 }).run(
          [{ plan: BY_WORKSPACE, statements: [] }],
          { onProgress: ({ phase }) => phases.add(phase) },
        );
        await until(() => phases.size > 0);
        await release();
        expect((await run)[0]).toMatchObject({ status: 'kept' });
        expect(await indexes()).toEqual(['file_workspace_id_idx']);
      },
    );
  });

  it('cancels a build on the server, and leaves nothing', async () => {
    await meanwhile('UPDATE file SET size = size WHERE id = 1', async (release) => {
      const abort = new AbortController();
      const run = trials({ lockTimeoutMs: 30_000 }).run([{ plan: BY_WORKSPACE, statements: [] }], {
        signal: abort.signal,
        onProgress: () => abort.abort(),
      });
      await until(() => abort.signal.aborted);
      // The build ends before anything lets it go on: it has left its line when the index is there to be dropped.
      await until(async () => (await building()) === 0);
      await release();
      expect((await run)[0]).toMatchObject({
        status: 'failed',
        decision: expect.stringContaining('canceling statement'),
      });
      expect(await indexes()).toEqual([]);
    });
  });

  it('leaves to the next run what it could not drop', async () => {
    await meanwhile('UPDATE file SET size = size WHERE id = 1', async (release) => {
      const [entry] = await trials({ lockTimeoutMs: 50 }).run([{ plan: BY_WORKSPACE, statements: [] }]);
      expect(entry).toMatchObject({
        status: 'building',
        decision: expect.stringContaining('could not be dropped'),
      });
      expect(await indexes()).toEqual(['file_workspace_id_idx']);
      await release();
      expect(await trials().run([])).toEqual([]);
      expect(await indexes()).toEqual([]);
      expect(await trials().ledger()).toMatchObject([{ status: 'failed' }]);
    });
  });

  it('lets one process build at a time', async () => {
    await meanwhile('UPDATE file SET size = size WHERE id = 1', async (release) => {
      let hasBegun = false;
      const run = trials().run([{ plan: BY_WORKSPACE, statements: [] }], {
        onProgress: () => (hasBegun = true),
      });
      await until(() => hasBegun);
      await expect(trials().run([])).rejects.toMatchObject({ code: 'QUERY_INDEX_BUSY' });
      await release();
      expect((await run)[0]).toMatchObject({ status: 'kept' });
    });
  });

  it('clears up after a builder that was killed', async () => {
    await meanwhile('UPDATE file SET size = size WHERE id = 1', async (release) => {
      let hasBegun = false;
      const doomed = trials().run([{ plan: BY_WORKSPACE, statements: [] }], {
        onProgress: () => (hasBegun = true),
      });
      const failed = expect(doomed).rejects.toThrow();
      await until(() => hasBegun);
      await database.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index
                         WHERE datname = current_database()`);
      await failed;
      await release();
      expect(await indexes()).toEqual(['file_workspace_id_idx']);
      const [entry] = await trials().run([{ plan: BY_WORKSPACE, statements: [] }]);
      expect(entry).toMatchObject({ status: 'kept' });
      expect(await trials().ledger()).toMatchObject([
        { status: 'kept' },
        { status: 'failed', decision: 'It was not finished; what was left of it was dropped' },
      ]);
    });
  });

  it('says what failed where it has no right, the table is gone, the name is taken or nothing may be written', async () => {
    const role = `${database.name}_reader`;
    await database.run(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role};
                        GRANT CREATE ON SCHEMA public TO ${role}`);
    try {
      const url = new URL(database.url);
      url.username = role;
      url.password = 'reader';
      const readers = trials({ source: poolAs(url.href) });
      expect((await readers.run([{ plan: BY_WORKSPACE, statements: [] }]))[0]).toMatchObject({
        status: 'failed',
        decision: expect.stringContaining('must be owner of table file'),
      });
      await database.run(`DROP TABLE peregrine_index_ledger`);
      url.searchParams.set('options', '-c default_transaction_read_only=on');
      const readOnly = trials({ source: poolAs(url.href) });
      await expect(readOnly.run([{ plan: BY_WORKSPACE, statements: [] }])).rejects.toMatchObject({
        code: 'QUERY_INDEX_LEDGER_UNAVAILABLE',
        failure: 'read-only',
      });
    } finally {
      await Promise.all(pools.splice(1).map((it) => it.end()));
      await database.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
    const gone = { ...BY_WORKSPACE, table: { schema: 'public', name: 'gone' } };
    const taken = { ...BY_WORKSPACE, id: 'e', indexName: 'file_pkey' };
    expect(await trials().run([gone, taken].map((plan) => ({ plan, statements: [] })))).toMatchObject([
      { status: 'failed', decision: expect.stringContaining('"public.gone" does not exist') },
      { status: 'failed', decision: expect.stringContaining('there is an index file_pkey already') },
    ]);
  });
});
