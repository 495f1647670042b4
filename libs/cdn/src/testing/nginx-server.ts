import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningServer, startServer } from './server-process.js';

const INSTALL = 'The tests need nginx: install it (Debian, Ubuntu: apt-get install nginx).';

/**
 * An nginx of the system with a configuration.
 *
 * @param folder of the caller; the configuration file is written there
 * @param configuration for the port that it is to listen on; it must name folders that exist
 * @throws {Error} when it does not start; with what nginx says
 */
export async function startNginx(
  folder: string,
  configuration: (port: number) => string,
): Promise<RunningServer> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  return startServer({
    program: 'nginx',
    args: async (port) => {
      await writeFile(file, configuration(port));
      return ['-p', folder, '-e', 'stderr', '-c', file, '-g', 'daemon off;'];
    },
    install: INSTALL,
  });
}
