import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { withClient } from './servers.ts';

const DATA = join(import.meta.dirname, '../../data');

/** One statement of a fixture. */
export interface WorkloadText {
  readonly name: string;
  readonly text: string;
}

/** The `.sql` files of a folder below the benchmark's data, in the order of their names. */
export async function readQueries(folder: string): Promise<readonly WorkloadText[]> {
  const files = (await readdir(join(DATA, folder))).filter((it) => it.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (it) => ({
      name: it.slice(0, -'.sql'.length),
      text: (await readFile(join(DATA, folder, it), 'utf8')).trim().replace(/;$/, ''),
    })),
  );
}

/**
 * A database of its own with the schema and data that `<name>/schema.sql` makes.
 *
 * @param scale 1 is the usual size
 * @returns its address
 */
export async function loadFixture(serverUrl: string, name: string, scale: number): Promise<string> {
  const database = `advisor_${name.replaceAll('-', '_')}`;
  await withClient(serverUrl, async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${database}`);
  });
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  const schema = await readFile(join(DATA, name, 'schema.sql'), 'utf8');
  await withClient(url.href, async (client) => {
    await client.query(`SELECT set_config('bench.scale', $1, false)`, [String(scale)]);
    await client.query(schema);
    await client.query('VACUUM ANALYZE');
  });
  return url.href;
}
