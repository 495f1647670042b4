import pg from 'pg';

import { DEFAULT_DATA_FOLDER, fromCallersFolder } from '../paths.ts';
import { DataFolder, devFileIn } from '../platform/data-folder.ts';
import { readDevFile } from '../platform/dev-file.ts';
import { DatabaseRefusedError, DatabaseUnreachableError, UsageError } from '../tools.errors.ts';

/** Of every command that looks at a database. */
export const TARGET_OPTIONS = {
  url: { type: 'string' },
  data: { type: 'string' },
  json: { type: 'boolean', default: false },
  build: { type: 'boolean', default: true },
  help: { type: 'boolean', default: false },
} as const;

export const TARGET_HELP = `  --url <address>       of PostgreSQL (default: the platform that "npm start" runs, else DATABASE_URL)
  --data <folder>       data folder of that platform (default: .peregrine)
  --json                prints JSON for programs
  --no-build            use the library as it was built before`;

interface TargetValues {
  readonly url?: string | undefined;
  readonly data?: string | undefined;
}

/**
 * Works on the database that is meant, with a pool that is closed afterwards.
 *
 * @throws {UsageError} when none is meant, or it is not an address
 * @throws {DatabaseUnreachableError} @throws {DatabaseRefusedError}
 */
export async function withTarget<T>(
  values: TargetValues,
  work: (pool: pg.Pool, url: string) => Promise<T>,
): Promise<T> {
  const url = await urlOf(values);
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: 5_000,
    application_name: 'peregrine-optimizer',
  });
  // What is lost is said by the statement that needed it.
  pool.on('error', () => undefined);
  try {
    await assertReachable(pool, url);
    return await work(pool, url);
  } catch (error) {
    throw error instanceof pg.DatabaseError && error.code !== undefined ? refusal(error) : error;
  } finally {
    await pool.end();
  }
}

async function assertReachable(pool: pg.Pool, url: string): Promise<void> {
  try {
    (await pool.connect()).release();
  } catch (error) {
    const { hostname, port, pathname } = new URL(url);
    const place = `${hostname || 'localhost'}:${port || '5432'}${pathname}`;
    throw new DatabaseUnreachableError(
      `PostgreSQL on ${place} cannot be used: ${reasonOf(error)}. Is it running, and is the address right?`,
      { cause: error },
    );
  }
}

/** Where a name has several addresses, Node puts the reasons into a list and says nothing itself. */
function reasonOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  return first instanceof Error ? first.message : String(first);
}

const ADVICE: Readonly<Record<string, string>> = {
  '42501': ' Use a role that may do this: the owner of the tables, to build indexes.',
  '25006': ' Use the primary: indexes and the ledger cannot be written to a server that only reads.',
};

const refusal = (error: pg.DatabaseError) =>
  new DatabaseRefusedError(
    `PostgreSQL refused it: ${error.message} (${error.code ?? ''}).${ADVICE[error.code ?? ''] ?? ''}`,
    { cause: error },
  );

async function urlOf({ url, data }: TargetValues): Promise<string> {
  const given = url ?? (await platformUrl(data)) ?? process.env['DATABASE_URL'];
  if (!given) {
    throw new UsageError(
      'Which database? Give --url postgres://…, set DATABASE_URL, or run "npm start" first.',
    );
  }
  // The address may hold a password: it is not repeated.
  if (!URL.canParse(given) || !/^postgres(ql)?:$/.test(new URL(given).protocol)) {
    throw new UsageError('The address of the database must look like postgres://user@host:5432/database.');
  }
  return given;
}

async function platformUrl(data: string | undefined): Promise<string | undefined> {
  const folder = data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(data);
  if (!(await DataFolder.isInUse(folder))) return undefined;
  return (await readDevFile(devFileIn(folder)))?.databaseUrl;
}
