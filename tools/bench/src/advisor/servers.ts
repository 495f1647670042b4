import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedPostgres } from '@peregrine/database/embedded';
import pg from 'pg';

import type { Servers } from '../harness/bench.ts';
import { SystemPostgres } from './system-postgres.ts';

/** One server each way of validation needs, started when its suite asks for it. */
export class AdvisorServers implements Servers {
  readonly versions: Readonly<Record<string, string>> = {
    Servers: 'of their own, in a temporary folder, as they come but for what the notes say',
  };
  readonly #folder: string;
  #embedded: EmbeddedPostgres | undefined;
  #system: SystemPostgres | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<AdvisorServers> {
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-bench-'));
    // Started by root, PostgreSQL runs as another user, which must get through.
    await chmod(folder, 0o755);
    return new AdvisorServers(folder);
  }

  /** @throws {EmbeddedPostgresError} */
  async embedded(): Promise<string> {
    // Loaded late: it is built by the command that needs it.
    const { EmbeddedPostgres } = await import('@peregrine/database/embedded');
    this.#embedded ??= await EmbeddedPostgres.start({ dataDir: join(this.#folder, 'embedded') });
    return this.#embedded.url;
  }

  /** A PostgreSQL of the system that has HypoPG. @throws {BenchPostgresError} */
  async withHypoPg(): Promise<string> {
    this.#system ??= await SystemPostgres.start(join(this.#folder, 'system'));
    return this.#system.url;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#embedded?.stop(), this.#system?.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Runs the work with a connection, and ends it. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  // Notices of the upstream scripts are of no interest, and a lost connection shows in the query that needs it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
