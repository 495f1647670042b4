import { access } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/**
 * The folder with the programs of a running server (`initdb`, `postgres`).
 *
 * @param url of a role that may read `pg_config`
 * @throws {Error} when they are not on this machine
 */
export async function programsOfServer(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ folder: string }>(
      `SELECT setting AS folder FROM pg_config WHERE name = 'BINDIR'`,
    );
    const [row] = rows;
    if (row && (await hasPrograms(row.folder))) return row.folder;
  } finally {
    await client.end();
  }
  throw new Error(
    'The tests start servers of their own, but the programs of the server of DATABASE_URL (initdb, postgres) are not on ' +
      'this machine. Leave DATABASE_URL unset: `npm test` brings a PostgreSQL with it.',
  );
}

/** Whether a folder has what a server is made with. */
export async function hasPrograms(folder: string): Promise<boolean> {
  return Promise.all(['initdb', 'postgres'].map((it) => access(join(folder, it)))).then(
    () => true,
    () => false,
  );
}
