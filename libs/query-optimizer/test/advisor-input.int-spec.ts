import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { advise } from '../src/advisor/advise.js';
import { type AdvisorSource } from '../src/advisor/advisor.options.js';
import { InvalidQueryOptimizerOptionsError, QueryAdvisorError } from '../src/query-optimizer.errors.js';
import { TestDatabase } from './test-database.js';

const UNHURRIED = { timeLimitMs: 600_000, statementTimeoutMs: 120_000 };
const HOSTILE = `x"; DROP TABLE victim; --`;
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

describe('advise with bad input', () => {
  let database: TestDatabase;
  let source: pg.Pool;
  const role = `peregrine_reader_${randomBytes(4).toString('hex')}`;
  const password = randomBytes(12).toString('hex');

  const adviseOn = (texts: readonly string[], from: AdvisorSource = source) =>
    advise(
      texts.map((text) => ({ text, calls: 1, totalMs: 0 })),
      { source: from, validation: 'sample-clone', ...UNHURRIED },
    );

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(`
      CREATE TABLE victim (id int);
      CREATE SCHEMA ${quoted(HOSTILE)};
      CREATE TABLE ${quoted(HOSTILE)}.${quoted(HOSTILE)} (id int PRIMARY KEY, ${quoted(HOSTILE)} int, note text);
      INSERT INTO ${quoted(HOSTILE)}.${quoted(HOSTILE)} SELECT i, i % 900, repeat('y', 40) FROM generate_series(1, 4000) i;
      CREATE TABLE secret (id int PRIMARY KEY, value int);
      INSERT INTO secret SELECT i, i % 900 FROM generate_series(1, 4000) i;
      CREATE TABLE empty (a int, b int)`);
    await database.run('VACUUM ANALYZE');
    await database.run(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);
    await database.run(`REVOKE TEMPORARY, CREATE ON DATABASE ${database.name} FROM PUBLIC`);
    source = new pg.Pool({ connectionString: database.url, max: 2 });
  });
  afterAll(async () => {
    await source.end();
    await database.drop();
    const server = await TestDatabase.create();
    await server.administer(`DROP ROLE ${role}`);
    await server.drop();
  });

  it('quotes hostile names everywhere', async () => {
    const name = quoted(HOSTILE);
    const advice = await adviseOn([
      `SELECT note FROM ${name}.${name} WHERE ${name} = 7 /* ; DROP TABLE victim */ ;`,
    ]);
    expect(advice.skipped).toEqual([]);
    expect(advice.recommendations).toHaveLength(1);
    await database.run('BEGIN; SAVEPOINT a; ROLLBACK');
    for (const it of advice.recommendations) await database.run(it.statement);
    expect(await database.run('SELECT * FROM victim')).toEqual([]);
    const [index] = await database.run<{ indexname: string }>(
      'SELECT indexname FROM pg_indexes WHERE schemaname = $1 AND indexname !~ $2',
      [HOSTILE, 'pkey'],
    );
    expect(index?.indexname).toBe(advice.recommendations[0]?.indexName);
  });

  it('skips what it cannot explain, with the reason, and goes on with the rest', async () => {
    const advice = await adviseOn([
      'SELEC 1',
      'SELECT 1; DROP TABLE victim',
      '',
      'CREATE TABLE other (id int)',
      'SELECT * FROM dropped WHERE id = 1',
      'SELECT missing FROM victim',
      `SELECT '\\'; DROP TABLE victim; --' FROM victim`,
      `SELECT id FROM ${quoted(HOSTILE)}.${quoted(HOSTILE)} WHERE note = $1`,
      'SELECT * FROM empty WHERE a = 1',
    ]);
    expect(advice.skipped.map((it) => it.statement)).toEqual(
      expect.arrayContaining(['1', '2', '3', '4', '5', '6']),
    );
    for (const it of advice.skipped) expect(it.reason.length).toBeGreaterThan(10);
    expect(advice.skipped.find((it) => it.statement === '5')?.reason).toContain('"dropped" does not exist');
    expect(await database.run('SELECT * FROM victim')).toEqual([]);
  });

  it('degrades without rights: to what it may read and make', async () => {
    await database.run(`GRANT SELECT ON empty TO ${role}`);
    const url = new URL(database.url);
    url.username = role;
    url.password = password;
    const pool = new pg.Pool({ connectionString: url.href, max: 1 });
    try {
      const advice = await adviseOn(
        ['SELECT * FROM secret WHERE value = 1', 'SELECT * FROM empty WHERE a = 1'],
        pool,
      );
      expect(advice.recommendations).toEqual([]);
      expect(advice.skipped).toMatchObject([
        { statement: '1', reason: expect.stringContaining('permission denied') },
      ]);
      await database.run(`GRANT SELECT ON secret TO ${role}`);
      const readable = await adviseOn(['SELECT * FROM secret WHERE value = 1'], pool);
      expect(readable.recommendations).toEqual([]);
      // Neither a schema nor a temporary table may be made: nothing is proven, so nothing is recommended.
      expect(readable.rejected).toContainEqual(
        expect.objectContaining({
          code: 'not-validated',
          reason: expect.stringContaining('permission denied'),
        }),
      );
      await database.run(`GRANT TEMPORARY ON DATABASE ${database.name} TO ${role}`);
      const temporary = await adviseOn(['SELECT * FROM secret WHERE value = 1'], pool);
      expect(temporary.recommendations).toMatchObject([{ columns: ['value'] }]);
    } finally {
      await pool.end();
      await database.run(
        `REVOKE ALL ON empty, secret FROM ${role}; REVOKE ALL ON DATABASE ${database.name} FROM ${role}`,
      );
    }
  });

  it('says that HypoPG is missing only when it is asked for', async () => {
    const workload = [{ text: 'SELECT * FROM secret WHERE value = 1', calls: 1, totalMs: 0 }];
    const url = new URL(database.url);
    url.username = role;
    url.password = password;
    const pool = new pg.Pool({ connectionString: url.href, max: 1 });
    await expect(advise(workload, { source: pool, validation: 'hypopg' })).rejects.toThrow(/HypoPG/);
    await pool.end();
  });

  it('reports every wrong option, and a database that is not there', async () => {
    const options = { source, budgetBytes: -1, writeCost: -2, typo: true };
    await expect(advise([], options)).rejects.toThrow(InvalidQueryOptimizerOptionsError);
    await expect(advise([], options)).rejects.toThrow(/budgetBytes.*\n.*writeCost/);
    const nowhere = new pg.Pool({ host: '127.0.0.1', port: 1 });
    await expect(advise([], { source: nowhere })).rejects.toThrow(QueryAdvisorError);
    await nowhere.end();
  });

  it('answers an empty workload with nothing', async () => {
    expect(await adviseOn([])).toMatchObject({
      recommendations: [],
      rejected: [],
      forecast: [],
      sizeBytes: 0,
    });
  });

  it('ends its transaction when the connection is lost in the middle', async () => {
    const killed: AdvisorSource = {
      connect: async () => {
        const client = await source.connect();
        client.on('error', () => undefined);
        const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        return {
          query: async (query, values) => {
            const text = typeof query === 'string' ? query : query.text;
            if (text.startsWith('CREATE INDEX'))
              await database.run('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
            return client.query(query as string, values as unknown[]);
          },
          release: (destroy) => client.release(destroy),
        };
      },
    };
    await expect(adviseOn(['SELECT * FROM secret WHERE value = 1'], killed)).rejects.toThrow(
      QueryAdvisorError,
    );
    expect(await database.run(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'peregrine%'`)).toEqual(
      [],
    );
  });
});
