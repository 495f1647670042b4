import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hasPrograms, programsOfServer } from '../../src/testing/server-programs.js';
import { TestDatabase } from '../test-database.js';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** The folder with the programs of the server that the tests run on. */
export function programsOfTestServer(): Promise<string> {
  return programsOfServer(TestDatabase.serverUrl());
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
