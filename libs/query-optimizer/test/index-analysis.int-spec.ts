import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type IndexFinding, type IndexReport } from '../src/index-analysis/index-finding.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';

const SCHEMA = `
  CREATE SCHEMA "Odd""; DROP TABLE file; --";
  CREATE TABLE workspace (id int PRIMARY KEY, name text);
  CREATE TABLE file (id int PRIMARY KEY, workspace_id int REFERENCES workspace, owner int, name text, size int,
    UNIQUE (name, id));
  INSERT INTO workspace SELECT n, 'w' || n FROM generate_series(1, 100) n;
  INSERT INTO file SELECT n, n % 100 + 1, n % 7, 'file ' || n, n FROM generate_series(1, 60000) n;
  CREATE TABLE "Odd""; DROP TABLE file; --"."t""; --" ("c""; DROP TABLE file; --" int REFERENCES file,
    "two words" int, CONSTRAINT "un""ique; --" UNIQUE ("two words"));
  CREATE TABLE event (at date NOT NULL, file_id int REFERENCES file, kind int) PARTITION BY RANGE (at);
  CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  INSERT INTO event SELECT '2025-01-01'::date + n % 700, n, n % 3 FROM generate_series(1, 20000) n;
`;

describe('index analysis', () => {
  let database: TestDatabase;
  let optimizer: QueryOptimizer;
  const optimizers = new OpenOptimizers();
  const open = (url = database.url) => optimizers.open(database, { connectionString: url, slowQueries: {} });
  const pick = (report: IndexReport, kind: IndexFinding['kind']) =>
    report.findings.filter((it) => it.kind === kind);
  const names = (report: IndexReport, kind: IndexFinding['kind']) =>
    pick(report, kind).map((it) => [it.index, it.coveredBy]);

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(SCHEMA);
    await database.run('VACUUM ANALYZE');
  });
  beforeEach(async () => {
    optimizer = await open();
  });
  afterEach(() => optimizers.close());
  afterAll(() => database.drop());

  it('finds what another index does already, and nothing that it does not', async () => {
    await database.run(`
      CREATE INDEX kept ON file (owner, size) INCLUDE (name);
      CREATE INDEX twice ON file (owner, size) INCLUDE (name);
      CREATE INDEX shorter ON file (owner);
      CREATE INDEX backwards ON file (owner DESC NULLS FIRST, size DESC);
      CREATE INDEX as_unique ON file (name);
      CREATE UNIQUE INDEX same_as_key ON file (id);
      CREATE INDEX other_order ON file (owner, size DESC);
      CREATE INDEX other_class ON file (name text_pattern_ops);
      CREATE INDEX other_collation ON file (name COLLATE "C");
      CREATE INDEX part ON file (owner) WHERE size > 5;
      CREATE INDEX other_method ON file USING hash (owner);
      CREATE INDEX expression ON file (lower(name));
      CREATE INDEX on_partitions ON event (kind);
      CREATE INDEX on_partitions_too ON event (kind, at)`);
    const report = await optimizer.analyseIndexes();
    expect(names(report, 'duplicate').sort()).toEqual([
      ['same_as_key', 'file_pkey'],
      ['twice', 'kept'],
    ]);
    expect(names(report, 'overlapping').sort()).toEqual([
      ['as_unique', 'file_name_id_key'],
      ['backwards', 'kept'],
      ['on_partitions', 'on_partitions_too'],
      ['shorter', 'kept'],
    ]);
    const [twice] = pick(report, 'duplicate').filter((it) => it.index === 'twice');
    expect(twice).toMatchObject({
      statement: 'DROP INDEX CONCURRENTLY "public"."twice"',
      columns: ['owner', 'size'],
      sizeSource: 'measured',
      writeCost: { entries: 60_000, hotShare: null, blocksHot: null },
    });
    expect(twice?.sizeBytes).toBeGreaterThan(1_000_000);
    expect(optimizer.report().indexes).toBe(report);
    expect(report.degraded).toEqual([]);
  });

  it('finds foreign keys without an index, also of hostile names, and of partitioned tables once', async () => {
    const report = await optimizer.analyseIndexes();
    const found = pick(report, 'missing foreign key');
    expect(found.map((it) => [it.table, it.columns, it.statement])).toEqual([
      ['file', ['workspace_id'], 'CREATE INDEX CONCURRENTLY ON "public"."file" ("workspace_id")'],
      ['event', ['file_id'], 'CREATE INDEX ON "public"."event" ("file_id")'],
      [
        't"; --',
        ['c"; DROP TABLE file; --'],
        'CREATE INDEX CONCURRENTLY ON "Odd""; DROP TABLE file; --"."t""; --" ("c""; DROP TABLE file; --")',
      ],
    ]);
    expect(found[0]?.reason).toBe(
      'file_workspace_id_fkey: each delete in public.workspace reads the whole of file, and so do joins by it',
    );
    expect(found[0]?.sizeBytes).toBeGreaterThan(500_000);
  });

  it('calls an index unused only when no server uses it', async () => {
    await database.run(`DROP INDEX IF EXISTS kept, twice, shorter, backwards, as_unique, same_as_key, other_order,
      other_class, other_collation, part, other_method, expression, on_partitions, on_partitions_too`);
    await database.run('CREATE INDEX used ON file (owner); CREATE INDEX by_replica ON file (size)');
    await database.run('CREATE INDEX idle ON file (owner, name); CREATE INDEX idle_event ON event (kind)');
    await database.run('SET enable_seqscan = off; SELECT count(*) FROM file WHERE owner = 3');
    const replica = await TestDatabase.create();
    await replica.run(SCHEMA);
    await replica.run('CREATE INDEX by_replica ON file (size)');
    await replica.run('SET enable_seqscan = off; SELECT name FROM file WHERE size = 3');
    const unused = async (replicas: string[]) => {
      const report = await optimizer.analyseIndexes({ replicas });
      return {
        report,
        unused: pick(report, 'unused')
          .map((it) => it.index)
          .sort(),
      };
    };
    const alone = await unused([]);
    expect(alone.unused).toEqual(['by_replica', 'idle', 'idle_event']);
    const both = await unused([replica.url]);
    expect(both.unused).toEqual(['idle', 'idle_event']);
    expect(both.report.servers).toBe(2);
    await replica.drop();
    const gone = await unused([replica.url]);
    expect(gone.report.degraded).toEqual([{ part: 'replicas', reason: expect.stringContaining('(3D000)') }]);
    expect(pick(gone.report, 'unused')[0]?.caution).toBe('not every replica could be asked');
    // A foreign key needs it, though nobody has used it yet.
    await database.run('CREATE INDEX for_key ON file (workspace_id)');
    expect((await unused([])).unused).not.toContain('for_key');
    await database.run('DROP INDEX used, by_replica, idle, idle_event, for_key');
  });

  it('knows which indexes keep updates from being cheap', async () => {
    await optimizer.execute('UPDATE file SET size = size + 1 WHERE id = $1', [5]);
    await database.run(
      'CREATE INDEX hot ON file (owner, workspace_id); CREATE INDEX cold ON file (size, owner)',
    );
    const { findings } = await optimizer.analyseIndexes();
    const cost = (name: string) => findings.find((it) => it.index === name)?.writeCost;
    expect(cost('hot')?.blocksHot).toBe(false);
    expect(cost('cold')?.blocksHot).toBe(true);
    await database.run('DROP INDEX hot, cold');
  });

  it('finds what a failed build left, and what is half empty, and mends all of it', async () => {
    await database.run('CREATE TABLE twin AS SELECT n % 2 AS n FROM generate_series(1, 1000) n');
    await expect(
      database.run('CREATE UNIQUE INDEX CONCURRENTLY "twin""s; --" ON twin (n)'),
    ).rejects.toThrow();
    await database.run('CREATE UNIQUE INDEX CONCURRENTLY broken_ccnew ON twin (n)').catch(() => undefined);
    await database.run(`CREATE TABLE big AS SELECT n, 'name of ' || n AS name FROM generate_series(1, 60000) n;
      CREATE INDEX holes ON big (n, name);
      DELETE FROM big WHERE n % 10 <> 0`);
    await database.run('VACUUM ANALYZE big');
    await database.run('SET enable_seqscan = off; SELECT name FROM big WHERE n = 10');
    await database.run('CREATE INDEX same ON big (n, name)');
    const estimated = await optimizer.analyseIndexes();
    expect(pick(estimated, 'bloated').map((it) => [it.index, it.sizeSource])).toContainEqual([
      'holes',
      'estimated',
    ]);
    await database.run('CREATE EXTENSION pgstattuple');
    const report = await optimizer.analyseIndexes();
    const [holes] = pick(report, 'bloated').filter((it) => it.index === 'holes');
    expect(holes).toMatchObject({
      sizeSource: 'measured',
      reason: expect.stringMatching(/^\d+ % of it is empty \(measured by pgstattuple\)$/),
      statement: 'REINDEX INDEX CONCURRENTLY "public"."holes"',
    });
    expect(
      pick(report, 'invalid')
        .map((it) => it.statement)
        .sort(),
    ).toEqual([
      'DROP INDEX CONCURRENTLY "public"."broken_ccnew"',
      'REINDEX INDEX CONCURRENTLY "public"."twin""s; --"',
    ]);
    expect(names(report, 'duplicate')).toEqual([['same', 'holes']]);
    await database.run('UPDATE twin SET n = DEFAULT');
    for (const { statement } of report.findings) await database.run(statement);
    await database.run('VACUUM ANALYZE');
    expect((await optimizer.analyseIndexes()).findings.filter((it) => it.kind !== 'unused')).toEqual([]);
  });

  it('leaves out what is locked, and what the role may not see', async () => {
    await database.run('CREATE INDEX one ON workspace (name); CREATE INDEX two ON workspace (name)');
    const locker = new pg.Client({ connectionString: database.url });
    await locker.connect();
    await locker.query('BEGIN; LOCK TABLE file IN ACCESS EXCLUSIVE MODE');
    const locked = await optimizer.analyseIndexes();
    await locker.end();
    expect(locked.degraded).toEqual([
      { part: 'indexes', reason: 'public.file is left out: somebody has it locked' },
    ]);
    expect(names(locked, 'duplicate')).toEqual([['two', 'one']]);
    await database.run(`CREATE ROLE ${database.name}_guest LOGIN PASSWORD 'guest';
      ALTER ROLE ${database.name}_guest SET default_transaction_read_only = on`);
    const url = Object.assign(new URL(database.url), {
      username: `${database.name}_guest`,
      password: 'guest',
    });
    const guest = await (await open(url.href)).analyseIndexes({ bloat: { minBytes: 0 } });
    expect(names(guest, 'duplicate')).toEqual([['two', 'one']]);
    expect(guest.findings.filter((it) => it.sizeSource === 'measured' && it.kind === 'bloated')).toEqual([]);
    await optimizers.close();
    await database.administer(`DROP ROLE ${database.name}_guest`);
  });

  it('refuses options that it does not know', async () => {
    await expect(optimizer.analyseIndexes({ replicas: [''] })).rejects.toThrow('replicas.0');
  });
});
