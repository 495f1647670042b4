import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type WorkloadStatement } from '../src/advisor/advice.js';
import { advise } from '../src/advisor/advise.js';
import { type AdvisorSource } from '../src/advisor/advisor.options.js';
import { type IndexTrialOptionsInput } from '../src/index-builder/index-builder.options.js';
import { IndexTrials } from '../src/index-builder/index-trial.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

const BY_OWNER = {
  id: 'by-owner',
  table: { schema: 'public', name: 'file' },
  indexName: 'file_owner_idx',
  keys: ['owner'],
};
const OF_OWNER: WorkloadStatement = {
  text: 'SELECT * FROM file WHERE owner = 7',
  calls: 1,
  totalMs: 0,
  id: 'of owner',
};
const UNHURRIED = { timeLimitMs: 600_000, validation: 'sample-clone' } as const;

describe('indexes with bad input', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  const role = `peregrine_guest_${randomBytes(4).toString('hex')}`;

  const trials = (options: Partial<IndexTrialOptionsInput> = {}) =>
    new IndexTrials({ source: pool, lockTimeoutMs: 5_000, retryMs: 1, progressEveryMs: 1, ...options });
  const build = (options: Partial<IndexTrialOptionsInput> = {}, plan: object = BY_OWNER) =>
    trials(options).run([{ plan, statements: [OF_OWNER] }]);
  /** What is there beside the keys, whole or half built. */
  const indexes = async () =>
    (
      await database.run<{ name: string }>(
        `SELECT indexrelid::regclass::text AS name FROM pg_index
          WHERE indrelid IN (SELECT oid FROM pg_class WHERE relname = 'file') AND NOT indisprimary`,
      )
    ).map((it) => it.name);
  /** The pool, and what happens just before a statement like this is sent for the first time. */
  const before = (statement: RegExp, happens: () => Promise<unknown>): AdvisorSource => {
    let hasHappened = false;
    return {
      connect: async () => {
        const client = await pool.connect();
        return {
          query: async (query, values) => {
            if (!hasHappened && statement.test(typeof query === 'string' ? query : query.text)) {
              hasHappened = true;
              await happens();
            }
            return client.query(query as string, values as unknown[]);
          },
          release: (destroy) => client.release(destroy),
        };
      },
    };
  };
  const asGuest = () => {
    const url = Object.assign(new URL(database.url), { username: role, password: 'guest' });
    return new pg.Pool({ connectionString: url.href, max: 2 });
  };

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(`
      CREATE TABLE file (id int PRIMARY KEY, owner int NOT NULL, name text NOT NULL);
      INSERT INTO file SELECT i, i % 2000, md5(i::text) FROM generate_series(1, 40000) i;
      CREATE TABLE victim AS SELECT 1 AS id;
      CREATE ROLE ${role} LOGIN PASSWORD 'guest'; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
      GRANT SELECT ON file TO ${role}`);
    await database.run('VACUUM ANALYZE');
    pool = new pg.Pool({ connectionString: database.url, max: 4 });
    pool.on('error', () => undefined);
  });
  afterEach(async () => {
    for (const name of await indexes()) await database.run(`DROP INDEX ${name}`);
    await database.run('DROP TABLE IF EXISTS peregrine_index_ledger');
  });
  afterAll(async () => {
    await pool.end();
    await database.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await database.drop();
  });

  it('says that the room for sorting is used up, and leaves nothing half built', async () => {
    const small = new pg.Pool({
      connectionString: database.url,
      options: '-c temp_file_limit=64kB -c maintenance_work_mem=1MB -c max_parallel_maintenance_workers=0',
    });
    const wide = { ...BY_OWNER, keys: ['owner', 'name', "(name || '-' || name)"] };
    const [entry] = await build({ source: small, attempts: 3 }, wide);
    await small.end();
    expect(entry).toMatchObject({ status: 'failed', decision: expect.stringContaining('(53400)') });
    expect(entry?.decision).toMatch(/temporary file size exceeds "?temp_file_limit/);
    expect(await indexes()).toEqual([]);
  });

  it('builds nothing without a ledger: a role that may not make it, and a session that only reads', async () => {
    const guests = asGuest();
    const readOnly = new pg.Pool({
      connectionString: database.url,
      options: '-c default_transaction_read_only=on',
    });
    try {
      for (const [source, failure, code] of [
        [guests, 'no-right', '42501'],
        [readOnly, 'read-only', '25006'],
      ] as const) {
        await expect(build({ source })).rejects.toMatchObject({
          code: 'QUERY_INDEX_LEDGER_UNAVAILABLE',
          failure,
          message: expect.stringContaining(`(${code})`),
        });
      }
      // The ledger is there, and not theirs to write.
      await trials().run([]);
      for (const source of [guests, readOnly]) {
        await expect(build({ source })).rejects.toMatchObject({ code: 'QUERY_INDEX_LEDGER_UNAVAILABLE' });
      }
    } finally {
      await Promise.all([guests.end(), readOnly.end()]);
    }
    expect(await trials().ledger()).toEqual([]);
    expect(await indexes()).toEqual([]);
  });

  it('goes on with the next index when a table is dropped in the middle', async () => {
    await database.run('CREATE TABLE passing AS SELECT id, owner FROM file');
    const source = before(/^CREATE INDEX CONCURRENTLY "?passing/, () => database.run('DROP TABLE passing'));
    const passing = {
      ...BY_OWNER,
      id: 'passing',
      table: { schema: 'public', name: 'passing' },
      indexName: 'passing_owner_idx',
    };
    const entries = await trials({ source }).run([
      { plan: passing, statements: [{ ...OF_OWNER, text: 'SELECT * FROM passing WHERE owner = 7' }] },
      { plan: BY_OWNER, statements: [OF_OWNER] },
    ]);
    expect(entries).toMatchObject([
      { status: 'failed', decision: expect.stringContaining('relation "public.passing" does not exist') },
      { status: 'kept' },
    ]);
    expect(await indexes()).toEqual(['file_owner_idx']);
  });

  it('advises on the rest when a table is dropped between two statements', async () => {
    await database.run('CREATE TABLE passing AS SELECT id, owner FROM file');
    // Once it is planned the transaction keeps it.
    const source = before(/EXPLAIN .*passing/, () => database.run('DROP TABLE passing'));
    const passing = { ...OF_OWNER, id: 'passing', text: 'SELECT * FROM passing WHERE owner = 7' };
    const advice = await advise([passing, OF_OWNER], { source, ...UNHURRIED });
    expect(advice.skipped).toEqual([
      { statement: 'passing', reason: expect.stringContaining('relation "passing" does not exist') },
    ]);
    expect(advice.recommendations).toMatchObject([{ columns: ['owner'] }]);
  });

  it('advises on the rest when a table stays locked', async () => {
    const locker = await pool.connect();
    await locker.query('BEGIN; LOCK TABLE victim IN ACCESS EXCLUSIVE MODE');
    const locked = { ...OF_OWNER, id: 'locked', text: 'SELECT * FROM victim WHERE id = 7' };
    const advice = await advise([locked, OF_OWNER], { source: pool, ...UNHURRIED });
    await locker.query('ROLLBACK');
    locker.release();
    expect(advice.skipped).toEqual([
      { statement: 'locked', reason: expect.stringContaining('lock timeout') },
    ]);
    expect(advice.recommendations).toMatchObject([{ columns: ['owner'] }]);
  });

  it('does not try again what an administrator has cancelled', async () => {
    const blocker = await pool.connect();
    await blocker.query('BEGIN; UPDATE file SET name = name WHERE id = 1');
    const run = build({ lockTimeoutMs: 60_000, attempts: 20 });
    const cancelled = async () => {
      const rows = await database.run<{ pid: number }>(
        `SELECT pg_cancel_backend(pid), pid FROM pg_stat_progress_create_index
          WHERE datname = current_database() AND phase LIKE 'waiting%'`,
      );
      return rows.length > 0;
    };
    await until(cancelled);
    // The index is dropped next, which waits for the same transaction.
    await blocker.query('ROLLBACK');
    blocker.release();
    const [entry] = await run;
    expect(entry).toMatchObject({
      status: 'failed',
      decision: expect.stringContaining('canceling statement due to user request'),
    });
    expect(await indexes()).toEqual([]);
  });

  it('reverts nothing of a table that stays locked, and says so', async () => {
    const [entry] = await build();
    const locker = await pool.connect();
    await locker.query('BEGIN; LOCK TABLE file IN ACCESS SHARE MODE; SELECT count(*) FROM file');
    await expect(trials({ lockTimeoutMs: 50 }).revert(entry?.id ?? '')).rejects.toMatchObject({
      code: 'QUERY_INDEX_BUILD',
      failure: 'locked',
    });
    await locker.query('ROLLBACK');
    locker.release();
    expect(await trials().revert(entry?.id ?? '')).toMatchObject({ status: 'reverted' });
    expect(await indexes()).toEqual([]);
  });

  it('sends one statement where a server reads backslashes in another way than the grammar does', async () => {
    await database.run(`ALTER DATABASE ${database.name} SET standard_conforming_strings = off`);
    const lenient = new pg.Pool({ connectionString: database.url });
    try {
      const twofold = `SELECT 'a\\' || '; COMMIT; DROP TABLE victim; --' FROM file`;
      const plan = {
        ...BY_OWNER,
        predicate: `name <> 'a\\' AND name <> '); COMMIT; DROP TABLE victim; --'`,
      };
      const [entry] = await trials({ source: lenient }).run([
        { plan, statements: [{ ...OF_OWNER, text: twofold }] },
      ]);
      expect(entry).toMatchObject({
        recommendation: plan.id,
        measurements: [{ afterMs: expect.any(Number) }],
      });
      const { skipped } = await advise([{ ...OF_OWNER, text: twofold }], { source: lenient, ...UNHURRIED });
      expect(skipped).toEqual([]);
      // Whoever gets the connection next finds it as it was.
      const { rows } = await lenient.query('SHOW standard_conforming_strings');
      expect(rows).toEqual([{ standard_conforming_strings: 'off' }]);
    } finally {
      await lenient.end();
      await database.run(`ALTER DATABASE ${database.name} RESET standard_conforming_strings`);
    }
    expect(await database.run('SELECT id FROM victim')).toEqual([{ id: 1 }]);
  });

  it('takes comments in a captured statement for what they are', async () => {
    const texts = [
      `/* '; DROP TABLE victim; -- */ SELECT * FROM file WHERE owner = 7 -- ; DROP TABLE victim`,
      `SELECT * FROM file WHERE owner = 7 /* /* nested */ ; COMMIT; DROP TABLE victim */`,
      `SELECT * FROM file WHERE owner = 7; -- the end`,
    ];
    const statements = texts.map((text, index) => ({ ...OF_OWNER, id: `${index}`, text }));
    const advice = await advise(statements, { source: pool, ...UNHURRIED });
    expect(advice.skipped).toEqual([]);
    const [recommendation] = advice.recommendations;
    const [entry] = await trials().run([{ plan: recommendation, statements }]);
    expect(entry?.measurements.map((it) => it.problem)).toEqual([undefined, undefined, undefined]);
    expect(await database.run('SELECT id FROM victim')).toEqual([{ id: 1 }]);
  });
});
