import type { Reporter } from '../reporter.ts';
import { PackageInstallError } from '../tools.errors.ts';
import { installAptPackages } from './apt-packages.ts';
import { findProgram, SERVER_FOLDERS } from './find-program.ts';

/** Servers and a browser that tests start by themselves, and their packages in Debian and Ubuntu. */
const TEST_PROGRAMS = [
  { program: 'nginx', aptPackage: 'nginx' },
  { program: 'varnishd', aptPackage: 'varnish' },
  // Debian's package has both.
  { program: 'prometheus', aptPackage: 'prometheus' },
  { program: 'promtool', aptPackage: 'prometheus' },
  { program: 'chromium', aptPackage: 'chromium' },
] as const;

/**
 * In CI, installs the servers that tests start and that are missing. On a person's machine nothing is installed behind
 * their back: there the tests that need one fail and say what to install, and the others run.
 *
 * @throws {PackageInstallError}
 */
export async function ensureTestPrograms(environment: NodeJS.ProcessEnv, reporter: Reporter): Promise<void> {
  if (environment['CI'] !== 'true') return;
  const missing = await missingPrograms(environment);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((it) => it.aptPackage))];
  await reporter.step(`Installing ${packages.join(' and ')} with apt-get, because they are missing`, () =>
    installAptPackages(packages, environment),
  );
  const [still] = await missingPrograms(environment);
  if (still) {
    throw new PackageInstallError(
      `apt-get installed ${still.aptPackage}, but ${still.program} is not on the PATH.`,
    );
  }
}

async function missingPrograms(environment: NodeJS.ProcessEnv) {
  const found = await Promise.all(
    TEST_PROGRAMS.map(({ program }) => findProgram([program], environment, SERVER_FOLDERS)),
  );
  return TEST_PROGRAMS.filter((_, index) => found[index] === undefined);
}
