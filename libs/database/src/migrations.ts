import { setTimeout as delay } from 'node:timers/promises';

import { MigrationExecutor, type DataSource, type Migration, type QueryRunner } from 'typeorm';

import { MigrationLockError } from './database.errors.js';

export interface MigrationOptions {
  /** Gets a line for each step, fit for a terminal. */
  readonly onProgress?: (message: string) => void;
  /** How long another process that migrates is waited for, milliseconds. Default 600,000. */
  readonly lockTimeoutMs?: number;
}

/** Any number that no other tool uses; advisory locks are per database. */
const LOCK_KEY = '5787213042198634001';
const LOCK_POLL_MS = 200;
const DEFAULT_LOCK_TIMEOUT_MS = 600_000;

/**
 * Runs what is pending, each migration in its own transaction; one with `transaction = false` runs without, for
 * CREATE INDEX CONCURRENTLY. Only one process migrates a database at a time; the others wait and find nothing to do.
 *
 * @returns the names of what was run, oldest first
 * @throws {MigrationLockError}, and the error of a migration: those before it stay, it is rolled back
 */
export function runMigrations(dataSource: DataSource, options: MigrationOptions = {}): Promise<string[]> {
  return withMigrationLock(dataSource, options, async (runner) => {
    const executor = new ReportingExecutor(dataSource, runner, options.onProgress);
    executor.transaction = 'each';
    const done = await executor.executePendingMigrations();
    return done.map((it) => it.name);
  });
}

/**
 * Reverts the migration that was run last.
 *
 * @returns its name, or null when there is none
 * @throws {MigrationLockError}, and the error of the migration, which is rolled back
 */
export function revertMigration(
  dataSource: DataSource,
  options: MigrationOptions = {},
): Promise<string | null> {
  return withMigrationLock(dataSource, options, async (runner) => {
    const executor = new MigrationExecutor(dataSource, runner);
    const [last] = (await executor.getExecutedMigrations()).toSorted((a, b) => (b.id ?? 0) - (a.id ?? 0));
    if (!last) return null;
    const migration = dataSource.migrations.find((it) => (it.name ?? it.constructor.name) === last.name);
    // TypeORM heeds the flag upwards only.
    executor.transaction = migration?.transaction === false ? 'none' : 'each';
    await executor.undoLastMigration();
    options.onProgress?.(`reverted ${last.name}`);
    return last.name;
  });
}

class ReportingExecutor extends MigrationExecutor {
  constructor(
    dataSource: DataSource,
    runner: QueryRunner,
    private readonly onProgress: MigrationOptions['onProgress'],
  ) {
    super(dataSource, runner);
  }

  protected override async insertExecutedMigration(runner: QueryRunner, migration: Migration): Promise<void> {
    await super.insertExecutedMigration(runner, migration);
    this.onProgress?.(`ran ${migration.name}`);
  }
}

/** Lock and migrations share one session: should it break, both end together. */
async function withMigrationLock<T>(
  dataSource: DataSource,
  options: MigrationOptions,
  work: (runner: QueryRunner) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await takeLock(runner, options);
    // Building an index may take longer than any statement of the application should.
    await runner.query('SET statement_timeout = 0');
    return await work(runner);
  } finally {
    await giveBack(runner);
  }
}

/**
 * Asks again and again, where pg_advisory_lock would wait: a waiting statement holds a snapshot, for which CREATE
 * INDEX CONCURRENTLY in the process that has the lock would wait in turn, for ever.
 */
async function takeLock(runner: QueryRunner, options: MigrationOptions): Promise<void> {
  const { lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS, onProgress } = options;
  const deadline = performance.now() + lockTimeoutMs;
  for (let attempt = 1; !(await tryLock(runner)); attempt++) {
    if (attempt === 1) onProgress?.('another process is migrating this database, waiting for it');
    if (performance.now() > deadline) throw new MigrationLockError(lockTimeoutMs);
    await delay(LOCK_POLL_MS);
  }
}

async function tryLock(runner: QueryRunner): Promise<boolean> {
  const rows = (await runner.query('SELECT pg_try_advisory_lock($1) AS locked', [LOCK_KEY])) as {
    locked: boolean;
  }[];
  return rows[0]?.locked === true;
}

async function giveBack(runner: QueryRunner): Promise<void> {
  // A broken session has lost its lock and its settings by itself.
  if (runner.isReleased) return;
  try {
    await runner.query('SELECT pg_advisory_unlock_all()');
    await runner.query('RESET statement_timeout');
  } finally {
    await runner.release();
  }
}
