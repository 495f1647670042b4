import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { TestDatabaseUrlError } from '../database.errors.js';
import { quoteIdentifier } from '../quote-identifier.js';

export interface TestDatabase {
  readonly url: string;
  /** Removes the database, ending what is still connected to it. Safe to call twice. */
  drop(): Promise<void>;
}

/** The first version with locales of its own. */
const BUILTIN_LOCALE_VERSION = 170_000;

/**
 * An empty database for one test file, with a deterministic order of text.
 *
 * @param baseUrl a server on which databases may be created, in the tests `process.env.DATABASE_URL`
 * @throws {TestDatabaseUrlError} without a url
 */
export async function createTestDatabase(baseUrl: string | undefined): Promise<TestDatabase> {
  if (!baseUrl) throw new TestDatabaseUrlError();
  const name = `peregrine_test_${randomBytes(6).toString('hex')}`;
  await withClient(baseUrl, async (client) => {
    const locale = await chooseLocale(client);
    await client.query(
      `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8' ${locale}`,
    );
  });
  const url = new URL(baseUrl);
  url.pathname = name;
  return {
    url: url.href,
    drop: () =>
      withClient(baseUrl, async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
      }),
  };
}

/** As the embedded server's where that exists. */
async function chooseLocale(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  const hasBuiltin = (rows[0]?.version ?? 0) >= BUILTIN_LOCALE_VERSION;
  return hasBuiltin ? `LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'` : `LC_COLLATE 'C'`;
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
