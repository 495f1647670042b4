import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of a test's own in the PostgreSQL of the tests. */
export class TestDatabase {
  private constructor(
    readonly name: string,
    readonly url: string,
  ) {}

  static async create(): Promise<TestDatabase> {
    const name = `peregrine_test_${randomBytes(6).toString('hex')}`;
    await run(serverUrl(), `CREATE DATABASE ${name}`);
    const url = new URL(serverUrl());
    url.pathname = `/${name}`;
    return new TestDatabase(name, url.href);
  }

  /** On a connection of its own, as another program would. */
  async run<R extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]> {
    return run<R>(this.url, text, values);
  }

  /** Of the server of the tests, in none of its test databases. */
  static async serverRows<R extends pg.QueryResultRow>(text: string): Promise<R[]> {
    return run<R>(serverUrl(), text);
  }

  /** The server of the tests. */
  static serverUrl(): string {
    return serverUrl();
  }

  /** From another database, so also when this one takes no connections any more. */
  async administer<R extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: unknown[],
  ): Promise<R[]> {
    return run<R>(serverUrl(), text, values);
  }

  /**
   * A pool has ended before its last connection is closed, and one that is ended by force throws out of nowhere: the server
   * waits up to 5 s for those, and only what is left open is ended.
   */
  async drop(): Promise<void> {
    try {
      await run(serverUrl(), `DROP DATABASE ${this.name}`);
    } catch {
      await run(serverUrl(), `DROP DATABASE ${this.name} WITH (FORCE)`);
    }
  }
}

function serverUrl(): string {
  const url = process.env['DATABASE_URL'];
  if (!url) throw new Error('DATABASE_URL is missing; run the tests with `npm test`');
  return url;
}

async function run<R extends pg.QueryResultRow>(url: string, text: string, values?: unknown[]): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(text, values)).rows;
  } finally {
    await client.end();
  }
}
