import { afterEach, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';
import { PostgresPool } from '../src/backend/postgres-pool.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { until } from './probe-app.js';
import { ownPool, postgresStore } from './stores.js';

/** Of the statement that is to be the victim. The other one never looks. */
const DEADLOCK_TIMEOUT_MS = 3_000;

let store: ContractStore;
let pool: pg.Pool;
let other: pg.Client;

beforeEach(async () => {
  store = await postgresStore();
  const connectionString = store.backend.url;
  pool = ownPool({ connectionString, options: `-c deadlock_timeout=${DEADLOCK_TIMEOUT_MS}` });
  other = new pg.Client({ connectionString, options: '-c deadlock_timeout=1h' });
  await other.connect();
});

afterEach(async () => {
  await other.end();
  await pool.end();
  await store.remove();
});

it('repeats a statement that fell victim to a deadlock', async () => {
  const victim = new PostgresPool(pool, () => undefined);
  await other.query('BEGIN');
  await other.query('SELECT pg_advisory_xact_lock(1)');
  const repeated = victim.query<{ done: boolean }>(
    'SELECT true AS done, pg_advisory_xact_lock(2), pg_advisory_xact_lock(1)',
  );
  const waiting =
    'SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())';
  await until(async () => (await other.query(waiting)).rowCount === 1);
  // Comes through once the victim has let go.
  await other.query('SELECT pg_advisory_xact_lock(2)');
  await other.query('COMMIT');
  expect((await repeated).rows[0]?.done).toBe(true);
}, 60_000);
