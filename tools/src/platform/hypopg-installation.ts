import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Reporter } from '../reporter.ts';
import { PackageInstallError } from '../tools.errors.ts';
import { installAptPackages } from './apt-packages.ts';

const EXTENSIONS = '/usr/share/postgresql';
/** The version of PostgreSQL is the system's; apt takes a pattern. */
const PACKAGE = '^postgresql-[0-9]+-hypopg$';

/**
 * In CI: installs a PostgreSQL with HypoPG from the system's packages when it is missing, without starting a service. Elsewhere
 * nothing is installed behind a person's back: the tests that need it say what to install.
 *
 * @throws {PackageInstallError}
 */
export async function installHypoPgInCi(environment: NodeJS.ProcessEnv, reporter: Reporter): Promise<void> {
  if (environment['CI'] !== 'true' || (await isInstalled())) return;
  await reporter.step('Installing PostgreSQL with HypoPG with apt-get, because it is missing', () =>
    installAptPackages([PACKAGE], environment),
  );
  if (!(await isInstalled())) throw new PackageInstallError('apt-get installed HypoPG, but it is not there.');
}

async function isInstalled(): Promise<boolean> {
  const versions = await readdir(EXTENSIONS).catch(() => []);
  const controls = versions.map((it) => join(EXTENSIONS, it, 'extension/hypopg.control'));
  const found = await Promise.all(
    controls.map((it) =>
      access(it).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
