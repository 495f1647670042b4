import { createDataSource } from '@peregrine/database';
import { EmbeddedPostgres } from '@peregrine/database/embedded';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A PostgreSQL that has `pg_stat_statements` loaded. */
export interface CountingServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The tests' own server where it counts statements, as the embedded one does; else an embedded one for this test. */
export async function startCountingServer(testsUrl: string | undefined): Promise<CountingServer> {
  if (testsUrl && (await counts(testsUrl))) return { url: testsUrl, stop: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-memories-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // The server's user is not always ours.
    await chmod(folder, 0o755);
    const server = await EmbeddedPostgres.start({ dataDir: join(folder, 'postgres') });
    return {
      url: server.url,
      stop: async () => {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function counts(url: string): Promise<boolean> {
  const source = await createDataSource({ url }).initialize();
  try {
    const [row] = await source.query<{ loaded: string }[]>(
      `SELECT current_setting('shared_preload_libraries') AS loaded`,
    );
    return (row?.loaded ?? '').split(/,\s*/).includes('pg_stat_statements');
  } finally {
    await source.destroy();
  }
}
