import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningServer, startServer } from './server-process.js';

const INSTALL = 'The tests need Varnish: install it (Debian, Ubuntu: apt-get install varnish).';

/**
 * A Varnish of the system with a configuration.
 *
 * @param folder empty, of the caller; everything of the server lies there
 * @throws {Error} when it does not start; with what the compiler of the VCL says
 */
export async function startVarnish(folder: string, vcl: string): Promise<RunningServer> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'default.vcl');
  await writeFile(file, vcl);
  return startServer({
    program: 'varnishd',
    // In the foreground and without changing users: the folder is the caller's.
    args: (port) => [
      ...['-F', '-j', 'none', '-n', join(folder, 'work'), '-f', file, '-s', 'malloc,32m'],
      ...['-a', `127.0.0.1:${port}`, '-p', 'thread_pools=1', '-p', 'thread_pool_min=5'],
    ],
    install: INSTALL,
  });
}
