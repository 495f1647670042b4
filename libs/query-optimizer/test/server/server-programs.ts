import { execFile } from 'node:child_process';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestDatabase } from '../test-database.js';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** The folder with the programs of the server that the tests run on. */
export async function programsOfTestServer(): Promise<string> {
  const [row] = await TestDatabase.serverRows<{ folder: string }>(
    `SELECT setting AS folder FROM pg_config WHERE name = 'BINDIR'`,
  );
  if (row && (await hasPrograms(row.folder))) return row.folder;
  throw new Error(
    'The tests start servers of their own, but the programs of the server of DATABASE_URL (initdb, postgres) are not on ' +
      'this machine. Leave DATABASE_URL unset: `npm test` brings a PostgreSQL with it.',
  );
}

/** The folder with the newest PostgreSQL that the system has; undefined where it has none. */
export async function programsOfSystem(): Promise<string | undefined> {
  const versions = await readdir(DEBIAN).catch(() => []);
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a)).map((it) => join(DEBIAN, it, 'bin'));
  const told = await run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  );
  for (const it of [...newestFirst, ...told]) if (await hasPrograms(it)) return it;
  return undefined;
}

async function hasPrograms(folder: string): Promise<boolean> {
  return Promise.all(['initdb', 'postgres'].map((it) => access(join(folder, it)))).then(
    () => true,
    () => false,
  );
}
