import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';

import { readQueries, type WorkloadText } from './fixture.ts';
import { withClient } from './servers.ts';
import { runScript } from './sql-script.ts';

const DATA = join(import.meta.dirname, '../../data/pagila');

/** With these the planner's costs without indexes sum up to the 147,944 that the peers were measured against. */
export const SETTINGS = { random_page_cost: '1.1', max_parallel_workers_per_gather: '0' } as const;

export const readStatements = (): Promise<readonly WorkloadText[]> => readQueries('pagila/queries');

/** A database of its own with pagila, larger, and without the secondary indexes of its authors. */
export async function loadPagila(serverUrl: string): Promise<string> {
  await withClient(serverUrl, async (client) => {
    await client.query('DROP DATABASE IF EXISTS advisor_pagila WITH (FORCE)');
    await client.query('CREATE DATABASE advisor_pagila');
    for (const [name, value] of Object.entries(SETTINGS))
      await client.query(`ALTER DATABASE advisor_pagila SET ${name} = ${pg.escapeLiteral(value)}`);
  });
  const url = new URL(serverUrl);
  url.pathname = '/advisor_pagila';
  await withClient(url.href, async (client) => {
    const read = (name: string) => readFile(join(DATA, name));
    await runScript(client, withoutForeignWords((await read('schema.sql')).toString()));
    await runScript(client, gunzipSync(await read('data.sql.gz')).toString());
    await client.query('RESET ALL');
    await client.query((await read('amplify.sql')).toString());
    await client.query((await read('strip-indexes.sql')).toString());
    await client.query('VACUUM ANALYZE');
  });
  return url.href;
}

/** The dump is of PostgreSQL 8.4: what later ones refuse, or what depends on who its owner was. */
function withoutForeignWords(schema: string): string {
  return schema
    .replace(/^ALTER .* OWNER TO .*;$/gm, '')
    .replace(/^CREATE PROCEDURAL LANGUAGE .*;$/gm, '')
    .replace(/^SET default_with_oids.*;$/gm, '')
    .replace(/^(REVOKE|GRANT) .*;$/gm, '')
    .replace(/^COMMENT ON SCHEMA .*;$/gm, '');
}
