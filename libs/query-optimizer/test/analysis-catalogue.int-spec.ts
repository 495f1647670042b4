import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import pg from 'pg';

import { analyse } from '../src/analysis/analyse.js';
import { loadAnalyser } from '../src/analysis/parser.js';
import { Catalogue } from '../src/catalogue/catalogue.js';
import { TestDatabase } from './test-database.js';

const SCHEMA = `
  CREATE SCHEMA tenant; CREATE SCHEMA "Odd ""name";
  CREATE TABLE workspace (id int PRIMARY KEY, name text);
  CREATE TABLE file (id int PRIMARY KEY, workspace_id int REFERENCES workspace ON DELETE CASCADE ON UPDATE CASCADE, name text, size numeric);
  CREATE TABLE version (id int PRIMARY KEY, file_id int REFERENCES file ON DELETE SET NULL, note text);
  CREATE TABLE pinned (version_id int REFERENCES version);
  CREATE TABLE tenant.file (id int, workspace_id int);
  CREATE TABLE "Odd ""name"."T ""x" (id int);
  CREATE TABLE event (id int, workspace_id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE event_old PARTITION OF event FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
  CREATE TABLE event_new PARTITION OF event FOR VALUES FROM ('2020-01-01') TO ('2100-01-01');
  CREATE TABLE animal (id int, owner int); CREATE TABLE dog (bark text) INHERITS (animal);
  CREATE VIEW file_view AS SELECT f.*, w.name AS workspace FROM file f JOIN workspace w ON w.id = f.workspace_id;
  CREATE VIEW deep_view AS SELECT * FROM file_view WHERE EXISTS (SELECT 1 FROM version);
  CREATE VIEW random_view AS SELECT *, random() AS r FROM file;
  CREATE VIEW recent_view AS SELECT * FROM file WHERE now() > '2000-01-01';
  CREATE MATERIALIZED VIEW file_count AS SELECT count(*) FROM file;
  CREATE SEQUENCE numbers;
  CREATE TABLE log (message text); CREATE TABLE audited (id int, workspace_id int, updated_at timestamptz);
  CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id::text); RETURN NULL; END $$;
  CREATE TRIGGER audit AFTER INSERT ON audited FOR EACH ROW EXECUTE FUNCTION audit();
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
  CREATE TRIGGER touch BEFORE UPDATE ON audited FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE TABLE moved (id int, workspace_id int);
  CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.workspace_id := 7; RETURN NEW; END $$;
  CREATE TRIGGER move BEFORE INSERT ON moved FOR EACH ROW EXECUTE FUNCTION move();
  CREATE TABLE dynamic (id int);
  CREATE FUNCTION dynamic() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM log'; RETURN NULL; END $$;
  CREATE TRIGGER dynamic AFTER DELETE ON dynamic EXECUTE FUNCTION dynamic();
  CREATE TABLE ruled (id int); CREATE RULE r AS ON INSERT TO ruled DO ALSO INSERT INTO log VALUES ('x');
  CREATE TABLE told (id int);
  CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('c', TG_TABLE_NAME); RETURN NULL; END $$;
  CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON told EXECUTE FUNCTION tell();
  CREATE FUNCTION file_names() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT name FROM file';
  CREATE FUNCTION file_total() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM version; END;
  CREATE FUNCTION adds_log() RETURNS int LANGUAGE sql AS 'INSERT INTO log VALUES (1) RETURNING 1';
  CREATE FUNCTION reads_plpgsql() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT count(*) FROM version); END $$;
  CREATE FUNCTION runs_text(t text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE n int; BEGIN EXECUTE t INTO n; RETURN n; END $$;
  CREATE FUNCTION label(file) RETURNS text LANGUAGE sql STABLE AS 'SELECT name FROM workspace WHERE id = $1.workspace_id';
  CREATE FUNCTION near(int, int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT 1 FROM pinned)';
  CREATE OPERATOR ~~~~ (FUNCTION = near, LEFTARG = int, RIGHTARG = int);
  CREATE FUNCTION elsewhere() RETURNS bigint LANGUAGE sql STABLE SET search_path = tenant AS 'SELECT count(*) FROM file';
  CREATE PROCEDURE cleans() LANGUAGE sql AS 'DELETE FROM version';
  CREATE TABLE member (workspace_id int, role_name text);
  CREATE TABLE secret (id int, workspace_id int); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON secret USING (workspace_id IN (SELECT workspace_id FROM member WHERE role_name = current_user));
  CREATE TABLE asked (id int); ALTER TABLE asked ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON asked USING (id = current_setting('app.id')::int);
  CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TABLE keys (i int, n numeric, t text, f text COLLATE folded, u uuid, b bool, v varchar(10), c char(3));
`;

// Reading a catalogue takes seconds on a machine that is busy enough.
jest.setTimeout(60_000);

let database: TestDatabase;
let pool: pg.Pool;
let catalogue: Catalogue;

beforeAll(async () => {
  await loadAnalyser();
  database = await TestDatabase.create();
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
  await pool.query(SCHEMA);
  catalogue = new Catalogue(pool);
  await catalogue.refresh();
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const resolve = (text: string, ...path: string[]) =>
  catalogue.resolve(analyse(text), path.length === 0 ? ['public'] : path);
const names = (tables: readonly { schema: string; name: string }[]) =>
  tables
    .map((it) => (it.schema === 'public' ? it.name : `${it.schema}.${it.name}`))
    .sort()
    .join(' ');
const keys = (found: ReturnType<typeof resolve>, side: 'readKeys' | 'writeKeys') =>
  found[side]
    .map((it) => {
      const [table] = [...found.reads, ...found.writes].filter(({ oid }) => oid === it.table);
      const values = it.values.map((value) =>
        value.kind === 'constant' ? String(value.value) : 'number' in value ? `$${value.number}` : '?',
      );
      return `${table?.name}.${it.column}=${values.join('|')}`;
    })
    .sort()
    .join(' ');

describe('tables read', () => {
  it.each([
    ['select * from file', 'file'],
    ['select * from tenant.file', 'tenant.file'],
    ['select * from "Odd ""name"."T ""x"', 'Odd "name.T "x'],
    ['select * from file_view', 'file workspace'],
    ['select * from deep_view', 'file version workspace'],
    ['select * from event', 'event event_new event_old'],
    ['select * from only event', 'event'],
    ['select * from event_old', 'event_old'],
    ['select * from animal', 'animal dog'],
    ['select * from file_count', 'file_count'],
    ['select * from file_names()', 'file'],
    ['select file_total()', 'version'],
    ['select reads_plpgsql()', 'version'],
    ['select f.label from file f', 'file workspace'],
    ['select (f).label from file f', 'file workspace'],
    ['select label(f) from file f', 'file workspace'],
    ['select 1 operator(public.~~~~) 2', 'pinned'],
    ['select 1 ~~~~ 2', 'pinned'],
    ['select elsewhere()', 'tenant.file'],
    ['select * from secret', 'member secret'],
  ])('%s', (text, reads) => {
    const resolved = resolve(text);
    expect(names(resolved.reads)).toBe(reads);
    expect(resolved.uncacheable).toEqual([]);
    expect(resolved.isCacheable).toBe(true);
  });

  it('follow the search path', () => {
    expect(names(resolve('select * from file', 'tenant', 'public').reads)).toBe('tenant.file');
    expect(resolve('select * from file', 'public').fingerprint).toBe(
      resolve('select * from public.file').fingerprint,
    );
    expect(resolve('select * from file', 'tenant').fingerprint).not.toBe(
      resolve('select * from file').fingerprint,
    );
  });
});

describe('what is not cached', () => {
  it.each([
    ['select now()', 'TIME_DEPENDENT'],
    ['select current_date', 'TIME_DEPENDENT'],
    ["select age(timestamp '2000-01-01')", 'TIME_DEPENDENT'],
    ['select * from recent_view', 'TIME_DEPENDENT'],
    ['select random()', 'VOLATILE_FUNCTION'],
    ['select clock_timestamp()', 'VOLATILE_FUNCTION'],
    ["select nextval('numbers')", 'VOLATILE_FUNCTION'],
    ['select * from random_view', 'VOLATILE_FUNCTION'],
    ["select current_setting('a')", 'SESSION_DEPENDENT'],
    ['select pg_backend_pid()', 'SESSION_DEPENDENT'],
    ['select * from asked', 'SESSION_DEPENDENT'],
    ['select last_value from numbers', 'SEQUENCE'],
    ['select * from pg_class', 'SYSTEM_CATALOG'],
    ['select * from information_schema.tables', 'SYSTEM_CATALOG'],
    ['select * from file for update', 'LOCKS_ROWS'],
    ['select * from file tablesample system (1)', 'SAMPLES_ROWS'],
    ['select adds_log()', 'WRITES'],
    ["select runs_text('delete from log')", 'WRITES'],
    ['with d as (delete from file returning *) select * from d', 'WRITES'],
    ["select query_to_xml('select 1', true, true, '')", 'UNKNOWN_READS'],
    ['select * from nowhere', 'UNKNOWN_RELATION'],
    ['select nothing(1)', 'UNKNOWN_FUNCTION'],
    ['selekt', 'UNKNOWN_SYNTAX'],
    ['show all', 'NOT_A_SELECT'],
  ])('%s: %s', (text, code) => {
    const resolved = resolve(text);
    expect(resolved.uncacheable.map((it) => it.code)).toContain(code);
    expect(resolved.isCacheable).toBe(false);
  });

  it('but everyday functions are', () => {
    const text = `select upper(name), count(*), coalesce(max(size), 0), to_char(date '2020-01-01', 'YYYY'),
      jsonb_build_object('a', 1), string_agg(name, ',' order by id), row_number() over (), format('%s', 1), current_user,
      pg_typeof(1), jsonb_set('{}', '{a}', '1'), age(timestamp '2000-01-01', timestamp '2001-01-01'),
      percentile_cont(0.5) within group (order by id), make_interval(days => 1), parse_ident('a.b') from file group by 1`;
    expect(resolve(text).uncacheable).toEqual([]);
  });
});

describe('tables written', () => {
  it.each([
    ['insert into file values (1)', 'file'],
    ['delete from file', 'file version'],
    ['delete from workspace where id = 1', 'file version workspace'],
    ['update workspace set id = 2', 'file workspace'],
    ["update workspace set name = 'x'", 'workspace'],
    ['insert into workspace (id) values (1) on conflict (id) do update set id = 2', 'file workspace'],
    ['delete from ruled', 'ruled'],
    ['truncate file', 'file'],
    ['truncate workspace cascade', 'file pinned version workspace'],
    ['insert into event values (1)', 'event event_new event_old'],
    ['delete from event_old', 'event_old'],
    ['copy file from stdin', 'file'],
    ['insert into file_view (id) values (1)', 'file workspace'],
    ['insert into audited values (1)', 'audited log'],
    ['update audited set id = 1', 'audited'],
    ['select adds_log()', 'log'],
    ['call cleans()', 'version'],
    ['insert into told values (1)', 'told'],
    ['refresh materialized view file_count', 'file_count'],
    ['explain analyze delete from version', 'version'],
    ['explain delete from version', ''],
    ['merge into version v using file f on f.id = v.file_id when matched then delete', 'version'],
  ])('%s', (text, writes) => {
    const resolved = resolve(text);
    expect([names(resolved.writes), resolved.unknownWriters]).toEqual([writes, []]);
  });

  it.each([
    ['delete from dynamic', 'function "public"."dynamic"'],
    ['insert into ruled values (1)', 'rule r on "public"."ruled"'],
    ["select runs_text('x')", 'function "public"."runs_text"'],
    ['do $$ begin end $$', 'a DO block'],
    ['execute p', 'a prepared statement'],
    ['alter table file add x int', 'a change of the schema'],
    ['delete from nowhere', 'the unknown table "nowhere"'],
    ["commit prepared 'x'", 'a prepared transaction'],
    ['selekt', 'a text that does not parse'],
  ])('%s: may write anything because of %s', (text, writer) => {
    expect(resolve(text)).toMatchObject({ unknownWrites: true, unknownWriters: [writer], writeKeys: [] });
  });
});

describe('keys of reads', () => {
  it.each([
    ['select * from file where workspace_id = $1', 'file.workspace_id=$1'],
    ['select * from file where $1 = workspace_id and id in (1, 2)', 'file.id=1|2 file.workspace_id=$1'],
    ['select * from file where workspace_id = any ($1)', 'file.workspace_id=$1'],
    [
      'select * from file f join workspace w on w.id = f.workspace_id where workspace_id = $1',
      'file.workspace_id=$1 workspace.id=$1',
    ],
    [
      'select * from file f left join version v on v.file_id = f.id where f.workspace_id = $1',
      'file.workspace_id=$1',
    ],
    ['select * from file f left join version v on v.file_id = f.id and v.id = 3', 'version.id=3'],
    ['select * from file f left join version v on v.file_id = f.id and f.id = 3', ''],
    [
      'select * from file f left join version v on v.file_id = f.id where f.id = 3',
      'file.id=3 version.file_id=3',
    ],
    ['select * from file f full join version v on v.file_id = 3', ''],
    [
      'select * from version v where exists (select 1 from file where workspace_id = 1)',
      'file.workspace_id=1',
    ],
    ['select * from file where workspace_id = 1 or id = 2', ''],
    ['select * from file where not (workspace_id = 1)', ''],
    [
      'select * from file where workspace_id = 1 union select * from file where workspace_id = $1',
      'file.workspace_id=1|$1',
    ],
    ['select * from file where workspace_id = 1 union select * from file', ''],
    ['select * from file where workspace_id = 1 and id > (select max(id) from file)', ''],
    ['select workspace_id from file group by 1 having workspace_id = 1', ''],
    ['select * from (select * from file) q where workspace_id = 1', ''],
    [
      'select * from event where workspace_id = 1',
      'event.workspace_id=1 event_new.workspace_id=1 event_old.workspace_id=1',
    ],
    ['select * from file_view where workspace_id = 1', ''],
    ['select *, (select count(*) from file_names()) from file where workspace_id = 1', ''],
    ['select * from file as f (workspace_id, id) where workspace_id = 1', ''],
    ['select * from file where workspace_id = 1.5', ''],
    ['select * from file where workspace_id = $1::numeric', ''],
    ['select * from file where workspace_id = $1::int', 'file.workspace_id=$1'],
    ['select * from file where workspace_id + 0 = 1', ''],
    ['select * from keys where n = 1', ''],
    ['select * from keys where t = $1', 'keys.t=$1'],
    ['select * from keys where t = $1 collate folded', ''],
    ['select * from keys where f = $1', ''],
    ['select * from keys where c = $1', ''],
    ["select * from keys where v = 'a' and u = $1::uuid and b = true", 'keys.b=true keys.u=$1 keys.v=a'],
    ["select * from keys where v = 'abc'::varchar(2)", ''],
    ['select * from file join version using (id) where id = 1', ''],
    ['select * from secret where workspace_id = 1', 'secret.workspace_id=1'],
  ])('%s', (text, expected) => {
    expect(keys(resolve(text), 'readKeys')).toBe(expected);
  });
});

describe('keys of writes', () => {
  it.each([
    ['update file set name = $2 where workspace_id = $1', 'file.workspace_id=$1'],
    ['update file set workspace_id = $2 where workspace_id = $1', 'file.workspace_id=$1|$2'],
    ['update file set workspace_id = workspace_id + 1 where workspace_id = $1', ''],
    ['update file set (workspace_id, name) = ($2, $3) where workspace_id = $1', ''],
    ['delete from pinned where version_id = 1', 'pinned.version_id=1'],
    ['delete from file where workspace_id = 1', 'file.workspace_id=1'],
    ['insert into file (id, workspace_id) values ($1, $2), ($3, 4)', 'file.id=$1|$3 file.workspace_id=$2|4'],
    ['insert into file (id, workspace_id) values ($1, default)', 'file.id=$1'],
    ['insert into file values (1, 2)', ''],
    ['insert into file (id) overriding user value values (1)', ''],
    ["insert into keys (t, v) values ('a', 1e3)", 'keys.t=a'],
    ['insert into keys (i) values (1.4)', ''],
    ['insert into file (id, workspace_id) select 1, 2', ''],
    [
      'insert into file (id, workspace_id) values ($1, $2) on conflict (id) do update set name = $3',
      'file.id=$1',
    ],
    ['insert into file (id, workspace_id) values ($1, $2) on conflict (id) do update set id = 9', ''],
    [
      'insert into file (id, workspace_id) values ($1, $2) on conflict do nothing',
      'file.id=$1 file.workspace_id=$2',
    ],
    ['update audited set id = 1 where workspace_id = 2', 'audited.workspace_id=2'],
    ['insert into moved (id, workspace_id) values (1, 2)', 'moved.id=1'],
    [
      'update file set name = $2 from workspace w where w.id = file.workspace_id and w.id = $1',
      'file.workspace_id=$1',
    ],
    [
      'with d as (delete from version where id = 1) update version set note = $1 where id = 2',
      'version.id=1|2',
    ],
  ])('%s', (text, expected) => {
    expect(keys(resolve(text), 'writeKeys')).toBe(expected);
  });
});

describe('the snapshot', () => {
  it('takes in a new table when it looks again, and knows when nothing has changed', async () => {
    await pool.query('CREATE TABLE born_late (id int)');
    expect(resolve('select * from born_late').isCacheable).toBe(false);
    expect(await catalogue.refreshIfChanged()).toBe(true);
    expect(names(resolve('select * from born_late').reads)).toBe('born_late');
    expect(await catalogue.refreshIfChanged()).toBe(false);
  });

  it.each([
    ['a renamed column', 'ALTER TABLE pinned RENAME version_id TO v_id'],
    ['a redefined view', 'CREATE OR REPLACE VIEW random_view AS SELECT *, 0.5::float8 AS r FROM file'],
    ['a new trigger', 'CREATE TRIGGER late AFTER DELETE ON pinned EXECUTE FUNCTION dynamic()'],
    ['a dropped trigger', 'DROP TRIGGER late ON pinned'],
    ['a policy', 'CREATE POLICY q ON secret USING (true)'],
    ['row security', 'ALTER TABLE pinned ENABLE ROW LEVEL SECURITY'],
    [
      'a function body',
      "CREATE OR REPLACE FUNCTION file_names() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT note FROM version'",
    ],
    ['a foreign key', 'ALTER TABLE log ADD file_id int REFERENCES file ON DELETE CASCADE'],
    ['inheritance', 'ALTER TABLE dog NO INHERIT animal'],
    ['a schema name', 'ALTER SCHEMA tenant RENAME TO renter'],
  ])('sees %s', async (_what, ddl) => {
    await pool.query(ddl);
    const { version } = catalogue;
    expect(await catalogue.refreshIfChanged()).toBe(true);
    expect(catalogue.version).toBe(version + 1);
    expect(await catalogue.refreshIfChanged()).toBe(false);
  });

  it('is not disturbed by VACUUM, ANALYZE and rows', async () => {
    await pool.query('INSERT INTO log VALUES (1)');
    await pool.query('VACUUM ANALYZE log');
    expect(await catalogue.refreshIfChanged()).toBe(false);
  });

  it('stays outdated until a refresh that began after the invalidation has ended', async () => {
    const earlier = catalogue.refresh();
    catalogue.invalidate();
    await earlier;
    expect(catalogue.isOutdated).toBe(true);
    const [first, second] = [catalogue.refresh(), catalogue.refresh()];
    await Promise.all([first, second]);
    expect(catalogue.isOutdated).toBe(false);
  });

  it('hides every table behind a temporary one of the same name', async () => {
    const client = await pool.connect();
    try {
      await client.query('CREATE TEMPORARY TABLE workspace (id int)');
      await catalogue.refresh();
      expect(resolve('select * from workspace').uncacheable.map((it) => it.code)).toEqual([
        'TEMPORARY_TABLE',
      ]);
      expect(resolve('select * from public.workspace').isCacheable).toBe(true);
    } finally {
      client.release(true);
    }
  });

  it('stays as it is when it can not be read, and says why', async () => {
    const { version } = catalogue;
    const broken = new Catalogue({ connect: () => Promise.reject(new Error('no server')) });
    await expect(broken.refresh()).rejects.toMatchObject({ code: 'QUERY_CATALOGUE' });
    expect(() => broken.snapshot).toThrow(expect.objectContaining({ code: 'QUERY_CATALOGUE_NOT_LOADED' }));
    expect(catalogue.version).toBe(version);
  });
});
