import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { BenchPostgresError } from '../bench.errors.ts';
import { endWithProcess } from '../harness/end-with-process.ts';
import { findFreePort } from '../harness/redis-server.ts';
import { withClient } from './servers.ts';

const START_TIMEOUT_MS = 20_000;
const INSTALLATIONS = '/usr/lib/postgresql';
const EXTENSIONS = '/usr/share/postgresql';
const MISSING = `The suite hypopg needs a PostgreSQL of the system that has HypoPG: install one (Debian 12:
"apt-get install postgresql-15-hypopg"), or leave the suite out: --only sample-clone`;

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** A PostgreSQL of the system's packages on a folder and port of our own; ends with this process. */
export class SystemPostgres {
  readonly url: string;
  readonly #server: ChildProcess;

  private constructor(url: string, server: ChildProcess) {
    this.url = url;
    this.#server = server;
    endWithProcess(server);
  }

  /** @throws {BenchPostgresError} when none is installed or it does not start */
  static async start(folder: string): Promise<SystemPostgres> {
    const programs = findPrograms();
    const user = await serverUser();
    await mkdir(folder, { recursive: true });
    if (user !== undefined) await chown(folder, user.uid, user.gid);
    const data = join(folder, 'data');
    // Loopback only, for as long as the benchmark runs.
    const args = [
      '-D',
      data,
      '-U',
      'postgres',
      '--auth=trust',
      '--no-sync',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
    ];
    await promisify(execFile)(join(programs, 'initdb'), args, { ...user, cwd: folder }).catch(
      (error: unknown) => {
        throw new BenchPostgresError('initdb failed', { cause: error });
      },
    );
    const port = await findFreePort();
    const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off'];
    const server = spawn(
      join(programs, 'postgres'),
      ['-D', data, '-p', String(port), ...settings.flatMap((it) => ['-c', it])],
      { ...user, cwd: folder, stdio: 'ignore' },
    );
    const postgres = new SystemPostgres(`postgres://postgres@127.0.0.1:${port}/postgres`, server);
    await postgres.#answers();
    return postgres;
  }

  async stop(): Promise<void> {
    if (this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    const exited = once(this.#server, 'exit');
    // Immediate shutdown: nothing in it is kept.
    this.#server.kill('SIGQUIT');
    await exited;
  }

  async #answers(): Promise<void> {
    const end = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        await withClient(this.url, (client) => client.query('SELECT 1'));
        return;
      } catch (error) {
        if (this.#server.exitCode !== null || performance.now() > end) {
          this.#server.kill('SIGKILL');
          throw new BenchPostgresError('the PostgreSQL of the system does not answer', { cause: error });
        }
        await delay(50);
      }
    }
  }
}

/** The newest one with HypoPG. */
function findPrograms(): string {
  const versions = existsSync(INSTALLATIONS) ? readdirSync(INSTALLATIONS) : [];
  const usable = versions
    .filter((it) => existsSync(join(EXTENSIONS, it, 'extension/hypopg.control')))
    .filter((it) => existsSync(join(INSTALLATIONS, it, 'bin/initdb')))
    .sort((a, b) => Number(b) - Number(a));
  const [newest] = usable;
  if (newest === undefined) throw new BenchPostgresError(MISSING);
  return join(INSTALLATIONS, newest, 'bin');
}

/** PostgreSQL refuses to run as root. Undefined: it runs as who we are. */
async function serverUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = async (option: string) =>
    Number((await promisify(execFile)('id', [option, 'postgres'])).stdout.trim());
  return { uid: await idOf('-u'), gid: await idOf('-g') };
}
