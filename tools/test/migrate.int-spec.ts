import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it, jest } from '@jest/globals';

import { ROOT } from '../src/paths.ts';
import { makeDataFolder, StartRun } from './start-fixture.ts';

jest.setTimeout(120_000);

// Lazily, as the tools do, which use what was built a moment before: the layer rule wants one way.
const { createTestDatabase } = await import('@peregrine/database/testing');
const { migrations } = await import('@peregrine/migrations');

const { DATABASE_URL, NODE_OPTIONS: _, ...inherited } = process.env;
const newest = migrations.at(-1)?.name ?? '';

/** @returns what it printed after its progress lines */
async function migrate(args: string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const command = [join(ROOT, 'tools/src/migrate.ts'), '--no-build', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    env: { ...inherited, ...environment },
  });
  return stdout.trim().split('\n').at(-1) ?? '';
}

describe('npm run migrate', () => {
  it('migrates the database of DATABASE_URL, and takes migrations back', async () => {
    const database = await createTestDatabase(DATABASE_URL);
    const environment = { DATABASE_URL: database.url };
    try {
      expect(await migrate([], environment)).toBe(
        `Migrated: ${migrations.map(({ name }) => name).join(', ')}`,
      );
      expect(await migrate([], environment)).toBe('The database is up to date');
      expect(await migrate(['--revert'], environment)).toBe(`Reverted: ${newest}`);
      expect(await migrate([], environment)).toBe(`Migrated: ${newest}`);
    } finally {
      await database.drop();
    }
  });

  it('starts the embedded server of the data folder for the time when it does not run', async () => {
    const folder = await makeDataFolder();
    try {
      expect(await migrate(['--data', folder])).toMatch(/^Migrated: /);
      expect(await migrate(['--data', folder])).toBe('The database is up to date');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('uses the embedded server of a platform that runs', async () => {
    const run = await StartRun.ready();
    try {
      expect(await migrate(['--data', run.folder])).toBe('The database is up to date');
    } finally {
      await run.cleanUp();
    }
  });
});
