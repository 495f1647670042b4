import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';

const SCHEMA = `
  CREATE TYPE mood AS ENUM ('sad', 'glad');
  CREATE TABLE item (n int, mood mood NOT NULL DEFAULT 'sad');
  CREATE VIEW doubled AS SELECT 2 * n AS n FROM item;
  CREATE FUNCTION total() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT sum(n) FROM item';
  CREATE TABLE part (n int) PARTITION BY RANGE (n);
  CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (10);
  CREATE TABLE part_high (n int);
  CREATE TABLE secret (n int);
  ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
  CREATE POLICY odd ON secret USING (n % 2 = 1); CREATE POLICY even ON secret TO $team USING (n % 2 = 0);
  INSERT INTO item VALUES (1), (2); INSERT INTO part VALUES (1); INSERT INTO part_high VALUES (11);
  INSERT INTO secret VALUES (1), (2);
  GRANT ALL ON ALL TABLES IN SCHEMA public TO $role`;

/** What somebody else does, and what it changes the answer of. `$role` is who reads, `$team` a group of theirs. */
const CHANGES: readonly (readonly [name: string, read: string, change: string])[] = [
  ['adds a column', 'SELECT * FROM item', 'ALTER TABLE item ADD COLUMN more text DEFAULT 7'],
  ['renames a column', 'SELECT * FROM item', 'ALTER TABLE item RENAME COLUMN n TO m'],
  ['drops a column', 'SELECT * FROM item', 'ALTER TABLE item DROP COLUMN mood'],
  [
    'rewrites a column',
    'SELECT n FROM part_high',
    'ALTER TABLE part_high ALTER COLUMN n TYPE int USING n + 1',
  ],
  [
    'makes another table of the same name',
    'SELECT * FROM part_high',
    'DROP TABLE part_high; CREATE TABLE part_high (m text)',
  ],
  [
    'redefines a view',
    'SELECT n FROM doubled',
    'CREATE OR REPLACE VIEW doubled AS SELECT 3 * n AS n FROM item',
  ],
  [
    'redefines a function',
    'SELECT total() FROM item',
    `CREATE OR REPLACE FUNCTION total() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT 10 * sum(n) FROM item'`,
  ],
  [
    'attaches a partition',
    'SELECT count(*)::int AS n FROM part',
    'ALTER TABLE part ATTACH PARTITION part_high FOR VALUES FROM (10) TO (100)',
  ],
  [
    'detaches a partition',
    'SELECT count(*)::int AS n FROM part',
    'ALTER TABLE part DETACH PARTITION part_low',
  ],
  ['renames a value of an enum', 'SELECT mood FROM item', `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`],
  ['changes a policy', 'SELECT n FROM secret', 'ALTER POLICY odd ON secret USING (n % 2 = 0)'],
  ['switches row security off', 'SELECT n FROM secret', 'ALTER TABLE secret DISABLE ROW LEVEL SECURITY'],
  ['makes the reader a member of a group', 'SELECT n FROM secret', 'GRANT $team TO $role'],
  ['lets the reader see everything', 'SELECT n FROM secret', 'ALTER ROLE $role BYPASSRLS'],
  ['takes a right away', 'SELECT n FROM item', 'REVOKE SELECT ON item FROM $role'],
  ['takes a schema away', 'SELECT n FROM item', 'REVOKE USAGE ON SCHEMA public FROM PUBLIC'],
  [
    'puts a table before it on the search path',
    'SELECT n FROM item',
    'CREATE SCHEMA $role; CREATE TABLE $role.item (n int); GRANT ALL ON SCHEMA $role TO $role; GRANT ALL ON $role.item TO $role',
  ],
];

describe('a result, when somebody else changes the schema', () => {
  const optimizers = new OpenOptimizers();
  let database: TestDatabase;
  let role: string;

  const statement = (text: string) => text.replaceAll('$role', role).replaceAll('$team', `${role}_team`);
  const open = () => {
    const url = new URL(database.url);
    Object.assign(url, { username: role, password: 'x' });
    return optimizers.open(database, { connectionString: url.href });
  };
  /** What it does by itself within the bound: before it says that there is no such table, it looks again. */
  const look = (optimizer: QueryOptimizer) =>
    expect(optimizer.invalidateTable('nowhere')).rejects.toMatchObject({ code: 'QUERY_UNKNOWN_TABLE' });
  /** Rows, or the code of what PostgreSQL refuses. */
  const answer = async (of: QueryOptimizer, sql: string, isCached: boolean) => {
    try {
      return await of.execute(sql, [], isCached ? { cache: true, variables: {} } : { variables: {} });
    } catch (error) {
      return { rows: (error as { code: string }).code, source: 'database' };
    }
  };

  // Of its own for each: what is changed belongs to the database, or to the server.
  beforeEach(async () => {
    database = await TestDatabase.create();
    role = `${database.name}_reader`;
    await database.run(statement(`CREATE ROLE $role LOGIN PASSWORD 'x'; CREATE ROLE $team`));
    await database.run(statement(SCHEMA));
  });
  afterEach(async () => {
    await optimizers.close();
    await database.drop();
    await database.administer(statement('DROP ROLE $role, $team'));
  });

  it.each(CHANGES)('is right when somebody else %s', async (_name, sql, change) => {
    const optimizer = await open();
    const before = await answer(optimizer, sql, true);
    expect((await answer(optimizer, sql, true)).source).toBe('cache');
    await database.run(statement(change));
    const now = await answer(optimizer, sql, false);
    expect(now.rows).not.toEqual(before.rows);
    await look(optimizer);
    expect(await answer(optimizer, sql, true)).toMatchObject({ rows: now.rows, source: 'database' });
    const again = await answer(optimizer, sql, true);
    expect(again.rows).toEqual(now.rows);
    if (Array.isArray(now.rows)) expect(again.source).toBe('cache');
  });

  it('knows that names mean other tables when the search path got another schema', async () => {
    const optimizer = await open();
    const read = () => optimizer.execute('SELECT n FROM item', [], { cache: true });
    await read();
    await database.run(statement('CREATE SCHEMA $role; GRANT ALL ON SCHEMA $role TO $role'));
    await look(optimizer);
    await optimizer.execute('CREATE TABLE item (n int)');
    expect((await read()).rows).toEqual([]);
    await optimizer.execute(statement('INSERT INTO $role.item VALUES (5)'));
    expect(await read()).toMatchObject({ rows: [{ n: 5 }], source: 'database' });
    expect(await read()).toMatchObject({ rows: [{ n: 5 }], source: 'cache' });
    await optimizer.execute(statement('DROP TABLE $role.item'));
    expect((await read()).rows).toEqual([{ n: 1 }, { n: 2 }]);
  });
});
