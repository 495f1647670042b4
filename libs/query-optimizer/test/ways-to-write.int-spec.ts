import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { installChangeTriggers } from '../src/changes/change-triggers.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';

const TABLES = ['item', 'owner', 'pet', 'part', 'part_low', 'part_high', 'log', 'We"ird', 'base', 'derived'];
const SCHEMA = `
  CREATE TABLE item (id int PRIMARY KEY, n int);
  CREATE VIEW positive AS SELECT id, n FROM item WHERE n > 0;
  CREATE TABLE owner (id int PRIMARY KEY);
  CREATE TABLE pet (id int PRIMARY KEY, owner int REFERENCES owner ON UPDATE CASCADE ON DELETE SET NULL);
  CREATE TABLE part (at int, n int) PARTITION BY RANGE (at);
  CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (10);
  CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (10) TO (20);
  CREATE TABLE base (n int); CREATE TABLE derived () INHERITS (base);
  CREATE TABLE log (n int);
  CREATE TABLE "We""ird" ("a ""b""" int);
  CREATE FUNCTION note_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.n); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER note_late AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION note_late();
  CREATE VIEW guarded AS SELECT id, n FROM item;
  CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (8); RETURN NEW; END $$;
  CREATE TRIGGER instead INSTEAD OF INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION instead();
  CREATE RULE also AS ON DELETE TO owner DO ALSO INSERT INTO log VALUES (9);
  CREATE PROCEDURE add_log(n int) LANGUAGE sql AS 'INSERT INTO log VALUES (n)';`;
const ROWS = `
  TRUNCATE item, owner, pet, part, log, "We""ird", base;
  INSERT INTO item VALUES (1, 1), (2, 2); INSERT INTO owner VALUES (1), (2); INSERT INTO pet VALUES (1, 1);
  INSERT INTO part VALUES (1, 1), (11, 11); INSERT INTO derived VALUES (1); TRUNCATE log;
  INSERT INTO "We""ird" VALUES (1);`;

/** By one session, one after the other. */
const WAYS: readonly (readonly [name: string, read: string, ...writes: string[]])[] = [
  ['an upsert', 'SELECT * FROM item', 'INSERT INTO item VALUES (1, 9) ON CONFLICT (id) DO UPDATE SET n = 9'],
  ['UPDATE FROM', 'SELECT * FROM item', 'UPDATE item SET n = 7 FROM owner WHERE owner.id = item.id'],
  ['DELETE USING', 'SELECT * FROM item', 'DELETE FROM item USING owner WHERE owner.id = item.id'],
  ['a view', 'SELECT * FROM item', 'UPDATE positive SET n = 5 WHERE id = 1'],
  ['a trigger instead of the write', 'SELECT * FROM log', 'INSERT INTO guarded VALUES (5, 5)'],
  ['a trigger at the commit', 'SELECT * FROM log', 'INSERT INTO item VALUES (5, 5)'],
  ['a rule', 'SELECT * FROM log', 'DELETE FROM owner WHERE id = 2'],
  ['a procedure', 'SELECT * FROM log', 'CALL add_log(3)'],
  ['a key that is updated', 'SELECT * FROM pet', 'UPDATE owner SET id = 3 WHERE id = 1'],
  ['a key that is gone', 'SELECT * FROM pet', 'DELETE FROM owner WHERE id = 1'],
  [
    'a row that moves to another partition',
    'SELECT * FROM part_high',
    'UPDATE part SET at = 12 WHERE at = 1',
  ],
  ['a partition by its name', 'SELECT n FROM part WHERE at = 1', 'UPDATE part_low SET n = 3'],
  ['TRUNCATE of a partition', 'SELECT count(*)::int AS n FROM part', 'TRUNCATE part_low'],
  ['a child of the table', 'SELECT n FROM base', 'INSERT INTO derived VALUES (2)'],
  ['the parent of the table', 'SELECT n FROM derived', 'UPDATE base SET n = 4'],
  ['COPY', 'SELECT * FROM log', `COPY log FROM PROGRAM 'echo 7'`],
  [
    'a prepared statement',
    'SELECT * FROM log',
    'PREPARE add AS INSERT INTO log VALUES ($1)',
    'EXECUTE add(4)',
  ],
  [
    'a cursor',
    'SELECT * FROM item ORDER BY id',
    'BEGIN',
    'DECLARE c CURSOR FOR SELECT * FROM item ORDER BY id FOR UPDATE',
    'FETCH c',
    'UPDATE item SET n = 6 WHERE CURRENT OF c',
    'COMMIT',
  ],
  [
    'a savepoint that is kept',
    'SELECT * FROM log',
    'BEGIN',
    'SAVEPOINT s',
    'INSERT INTO log VALUES (1)',
    'COMMIT',
  ],
  [
    'what is left when an error is undone',
    'SELECT * FROM log',
    'BEGIN',
    'INSERT INTO log VALUES (1)',
    'SAVEPOINT s',
    'INSERT INTO log VALUES (2)',
    'ROLLBACK TO s',
    'COMMIT',
  ],
  ['quoted names', 'SELECT * FROM "We""ird"', 'UPDATE "We""ird" SET "a ""b""" = 2'],
  ['a text in capitals', 'SELECT * FROM ITEM', 'UPDATE Item SET N = 4'],
  [
    'ONLY',
    'SELECT n FROM base',
    'INSERT INTO base VALUES (7)',
    'DELETE FROM ONLY base WHERE n = 7',
    'DELETE FROM base',
  ],
];

describe('a cached result', () => {
  const optimizers = new OpenOptimizers();
  let database: TestDatabase;
  let optimizer: QueryOptimizer;
  const read = (sql: string) => optimizer.execute(sql, [], { cache: true });
  const cached = async (sql: string) => {
    await read(sql);
    expect((await read(sql)).source).toBe('cache');
  };

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(SCHEMA);
    for (const it of installChangeTriggers(TABLES.map((name) => ({ schema: null, name }))))
      await database.run(it);
  });
  beforeEach(async () => {
    await database.run(ROWS);
    optimizer = await optimizers.open(database);
  });
  afterEach(() => optimizers.close());
  afterAll(() => database.drop());

  it.each(WAYS)('is what is there after %s', async (_name, sql, ...writes) => {
    await cached(sql);
    const before = await database.run(sql);
    await optimizer.pool.use(async (client) => {
      for (const it of writes) await client.query(it);
    });
    const after = await database.run(sql);
    expect(after).not.toEqual(before);
    expect(await read(sql)).toMatchObject({ rows: after, source: 'database' });
    await cached(sql);
  });

  it.each(WAYS)('is what is there after %s by somebody else', async (_name, sql, ...writes) => {
    await cached(sql);
    const before = await database.run(sql);
    await database.run(writes.join('; '));
    await optimizer.catchUp();
    const after = await database.run(sql);
    expect(after).not.toEqual(before);
    expect((await read(sql)).rows).toEqual(after);
    await cached(sql);
  });
});
