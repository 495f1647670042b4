import type { Reporter } from '../reporter.ts';
import { RedisMissingError } from '../tools.errors.ts';
import { installAptPackages } from './apt-packages.ts';
import { findRedisProgram } from './redis-server.ts';

/**
 * Makes sure that there is a Redis to start. In CI it is installed from the system's packages; on a person's
 * machine nothing is installed behind their back.
 *
 * @throws {RedisMissingError} that says what to install
 * @throws {PackageInstallError}
 */
export async function ensureRedisProgram(environment: NodeJS.ProcessEnv, reporter: Reporter): Promise<void> {
  if ((await findRedisProgram(environment)) !== undefined) return;
  if (environment['CI'] !== 'true') {
    throw new RedisMissingError(
      'The tests need Redis: install redis-server (Debian, Ubuntu: apt-get install redis-server; macOS: ' +
        'brew install redis) or set REDIS_URL to a running server.',
    );
  }
  await reporter.step('Installing redis-server with apt-get, because it is missing', () =>
    installAptPackages(['redis-server'], environment),
  );
  if ((await findRedisProgram(environment)) === undefined) {
    throw new RedisMissingError('apt-get installed redis-server, but it is not on the PATH.');
  }
}
