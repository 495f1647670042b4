import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedPostgres } from '@peregrine/database/embedded';
import pg from 'pg';

import type { Servers } from './bench.ts';

/** A PostgreSQL of our own. It keeps its promises: fsync and synchronous commit are on. */
export class BenchPostgres implements Servers {
  readonly versions: Readonly<Record<string, string>>;
  readonly #server: EmbeddedPostgres;
  readonly #folder: string;
  #databases = 0;

  private constructor(server: EmbeddedPostgres, folder: string, version: string) {
    this.#server = server;
    this.#folder = folder;
    this.versions = { PostgreSQL: version };
  }

  /** @param settings of the server, beside those it comes with @throws {EmbeddedPostgresError} */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<BenchPostgres> {
    // Loaded late: it is built by the command that needs it.
    const { EmbeddedPostgres } = await import('@peregrine/database/embedded');
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-bench-'));
    const server = await EmbeddedPostgres.start({ dataDir: join(folder, 'postgres'), settings });
    const [row] = await queryPostgres<{ server_version: string }>(server.url, 'SHOW server_version');
    const own = Object.entries(settings).map(([name, value]) => `${name} = ${value}, `);
    const version = `${row?.server_version ?? 'unknown'}, fsync and synchronous_commit on, ${own.join('')}else as it comes`;
    return new BenchPostgres(server, folder, version);
  }

  /** Runs the work in an empty database, and throws it away. */
  async withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
    const database = `bench_${this.#databases++}`;
    await queryPostgres(this.#server.url, `CREATE DATABASE ${database}`);
    const url = new URL(this.#server.url);
    url.pathname = `/${database}`;
    try {
      return await work(url.href);
    } finally {
      await queryPostgres(this.#server.url, `DROP DATABASE ${database} WITH (FORCE)`);
      // What one library left to be written later is not to slow down the next.
      await queryPostgres(this.#server.url, 'CHECKPOINT');
    }
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** On a connection of its own. */
export async function queryPostgres<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}
