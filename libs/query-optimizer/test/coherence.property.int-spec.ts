import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { installChangeTriggers } from '../src/changes/change-triggers.js';
import { CoherenceProcess } from './coherence-process.js';
import { TestDatabase } from './test-database.js';

const PROCESSES = 3;

const NEVER = 1_000_000;
const TABLES = ['account', 'secret', 'owner', 'pet', 'source', 'derived', 'noise', 'part', 'part_low'];
const SCHEMA = `
  CREATE TABLE account (id int PRIMARY KEY, tenant int NOT NULL, version int NOT NULL DEFAULT 0);
  CREATE VIEW tenants AS SELECT tenant, sum(version)::int AS versions FROM account GROUP BY tenant;
  CREATE TABLE secret (id int PRIMARY KEY, tenant int NOT NULL, version int NOT NULL DEFAULT 0);
  ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON secret USING (tenant = nullif(current_setting('app.tenant', true), '')::int);
  CREATE TABLE owner (id int PRIMARY KEY);
  CREATE TABLE pet (owner int REFERENCES owner ON DELETE CASCADE);
  CREATE TABLE source (n int); CREATE TABLE derived (n int);
  CREATE FUNCTION derive() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO derived VALUES (1); RETURN NULL; END $$;
  CREATE TRIGGER derive AFTER INSERT ON source FOR EACH ROW EXECUTE FUNCTION derive();
  CREATE TABLE noise (n int);
  CREATE TABLE part (at int, n int) PARTITION BY RANGE (at);
  CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (4);
  CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (4) TO (100);
  INSERT INTO account SELECT i, i % 3 + 1 FROM generate_series(1, 6) i;
  INSERT INTO secret SELECT i, i % 3 + 1 FROM generate_series(1, 6) i;
  INSERT INTO owner SELECT generate_series(1, 3); INSERT INTO pet SELECT generate_series(1, 3);`;

const which = fc.nat(20);
const id = fc.integer({ min: 1, max: 6 });
const tenant = fc.integer({ min: 1, max: 3 });
const WRITES = [
  'bump',
  'bump in a transaction',
  'bump behind a savepoint',
  'roll back',
  'release unfinished',
  'move',
  'bump a tenant',
  'write a secret',
  'cascade',
  'trigger',
  'part',
  'noise',
  'truncate',
];
const order = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('read'), which }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom(...WRITES), id, tenant }) },
);
const burst = fc.array(order, { minLength: 20, maxLength: 60, size: 'max' });
/** What another program does, and which process has to know of it then. */
const outside = fc.record({
  how: fc.constantFrom('bump', 'bump', 'roll back', 'cascade', 'part', 'truncate', 'trigger', 'secret'),
  id,
  tenant,
  process: fc.nat(PROCESSES - 1),
  which: fc.array(which, { minLength: 1, maxLength: 4 }),
});

/** Of the server of the tests; see coherence-replicas. */
const replicas = (process.env['TEST_REPLICA_URLS'] ?? '').split(' ').filter(Boolean);
let database: TestDatabase;
let role: string;
let stranger: pg.Client;
let processes: CoherenceProcess[] = [];

beforeAll(async () => {
  database = await TestDatabase.create();
  role = `${database.name}_app`;
  await database.run(SCHEMA);
  for (const it of installChangeTriggers(TABLES.map((name) => ({ schema: null, name }))))
    await database.run(it);
  // Whom policies bind.
  await database.run(
    `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`,
  );
  const asRole = (server: string) => {
    const url = new URL(server);
    return Object.assign(url, { username: role, password: 'x', pathname: database.name }).href;
  };
  const url = asRole(database.url);
  stranger = new pg.Client({ connectionString: database.url });
  await stranger.connect();
  processes = await Promise.all(
    Array.from({ length: PROCESSES }, () => CoherenceProcess.start(url, replicas.map(asRole))),
  );
}, 60_000);

afterAll(async () => {
  await Promise.all(processes.map((it) => it.stop()));
  await stranger.end();
  await database.drop();
  await database.administer(`DROP ROLE ${role}`);
}, 60_000);

/** @returns what an account must be at least, from now on */
async function write({ how, id: account, tenant: of }: { how: string; id: number; tenant: number }) {
  const add = (n: number) =>
    stranger.query<{ version: number }>(
      'UPDATE account SET version = version + $2 WHERE id = $1 RETURNING version',
      [account, n],
    );
  if (how === 'bump') {
    await stranger.query('BEGIN');
    const { rows } = await add(1);
    await stranger.query('COMMIT');
    return [[account, rows[0]?.version ?? 0]];
  }
  if (how === 'roll back') {
    await stranger.query('BEGIN');
    await add(NEVER);
    await stranger.query('ROLLBACK');
  } else if (how === 'cascade') await stranger.query('DELETE FROM owner WHERE id = $1', [of]);
  else if (how === 'part') await stranger.query('INSERT INTO part_low VALUES (1, $1)', [of]);
  else if (how === 'truncate') await stranger.query('TRUNCATE noise, part');
  else if (how === 'trigger') await stranger.query('INSERT INTO source VALUES (2)');
  else await stranger.query('UPDATE secret SET version = version + 1 WHERE tenant = $1', [of]);
  return [];
}

const violations = () => processes.flatMap((it) => it.takeViolations());

it('never shows what is older than what is known, was rolled back, or is of another tenant', async () => {
  const bursts = fc.tuple(...Array.from({ length: PROCESSES }, () => burst));
  await fc.assert(
    fc.asyncProperty(bursts, fc.array(outside, { minLength: 5, maxLength: 20 }), async (orders, strange) => {
      const courier = async () => {
        for (const it of strange) {
          const least = await write(it);
          await processes[it.process]!.ask('look', { which: it.which, least });
        }
      };
      const known = await Promise.all([
        ...processes.map((it, index) => it.ask('burst', { orders: orders[index]! })),
        courier(),
      ]);
      expect(violations()).toEqual([]);
      // Everything that any process knows to be committed, every other knows after it has caught up.
      const least = known.flatMap((it) => (it ?? []) as [number, number][]);
      await Promise.all(processes.map((it) => it.ask('look', { which: [0, 1, 2, 3, 4, 5, 9], least })));
      await Promise.all(processes.map((it) => it.ask('compare')));
      expect(violations()).toEqual([]);
    }),
    { numRuns: replicas.length > 0 ? 4 : 15, endOnFailure: true },
  );
  const reads = await Promise.all(processes.map((it) => it.ask('replicaReads')));
  for (const it of reads) expect(Number(it) > 0).toBe(replicas.length > 0);
}, 120_000);
