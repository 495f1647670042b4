import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.js';

const run = promisify(execFile);
const PASSWORD = 'of-the-tests';
/** Where `setpriv` is. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';
const SMALL = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '16MB',
  fsync: 'off',
  full_page_writes: 'off',
};

export type ServerSettings = Readonly<Record<string, string>>;

export interface ServerLimits {
  /**
   * No file grows beyond it: to PostgreSQL a disk that is full (it ignores SIGXFSZ for that). Above the 16 MiB of a segment of
   * the log; whole multiples of 8 KiB are seen as another fault.
   */
  readonly fileBytes?: number;
}

/** A PostgreSQL of a test's own, to be stopped, killed and started again; it ends with the test's process. */
export class PostgresServer {
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(
    private readonly programs: string,
    private readonly folder: string,
    readonly port: number,
    private readonly settings: ServerSettings,
    private readonly limits: ServerLimits = {},
  ) {}

  static async create(
    programs: string,
    settings: ServerSettings = {},
    limits: ServerLimits = {},
  ): Promise<PostgresServer> {
    const folder = await makeFolder();
    await writeFile(join(folder, 'password'), PASSWORD, { mode: 0o644 });
    const { file, args, options } = await asServerUser(join(programs, 'initdb'), [
      ...['-D', join(folder, 'data'), '-U', 'postgres', `--pwfile=${join(folder, 'password')}`],
      ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync'],
    ]);
    await run(file, args, options);
    return new PostgresServer(programs, folder, await freePort(), settings, limits);
  }

  /** A standby that streams from this one, which must not have been started yet: a copy of its data. */
  async createStandby(settings: ServerSettings = {}): Promise<PostgresServer> {
    const folder = await makeFolder();
    await cp(join(this.folder, 'data'), join(folder, 'data'), { recursive: true });
    await writeFile(join(folder, 'data', 'standby.signal'), '');
    await run('chown', ['-R', `--reference=${folder}`, join(folder, 'data')]);
    const source = `host=127.0.0.1 port=${this.port} user=postgres password=${PASSWORD}`;
    return new PostgresServer(this.programs, folder, await freePort(), {
      primary_conninfo: source,
      hot_standby_feedback: 'on',
      wal_retrieve_retry_interval: '100ms',
      wal_receiver_status_interval: '1s',
      ...settings,
    });
  }

  get url(): string {
    return `postgres://postgres:${PASSWORD}@127.0.0.1:${this.port}/postgres`;
  }

  /** Resolves when it takes connections. A killed server's memory is let go by its last process only. */
  async start(): Promise<void> {
    await until(async () => {
      const server = await this.#launch();
      const isReady = async () => server.exitCode !== null || (await this.#status()).startsWith('ready');
      await until(isReady);
      if (server.exitCode === null) return true;
      if (this.#output.includes('still in use')) return false;
      throw new Error(`PostgreSQL did not start:\n${this.#output}`);
    });
  }

  /** As a crash does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** Stops it too. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #launch(): Promise<ChildProcess> {
    const settings = Object.entries({ ...SMALL, ...this.settings, port: String(this.port) });
    const own = limited(this.limits, join(this.programs, 'postgres'), [
      ...['-D', join(this.folder, 'data')],
      ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    const { file, args, options } = await asServerUser(own.program, own.args);
    this.#output = '';
    const server = spawn(file, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    server.stderr.on('data', (it: Buffer) => (this.#output = (this.#output + it.toString()).slice(-4_000)));
    this.#process = server;
    return server;
  }

  /** Of the process that was started last: `ready`, on a standby as soon as it can be read. */
  async #status(): Promise<string> {
    const lines = (await readFile(join(this.folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '')).split(
      '\n',
    );
    return Number(lines[0]) === this.#process?.pid ? (lines[7] ?? '').trim() : '';
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#process;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }
}

/** Enterable by the server's user, whatever our umask. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-optimizer-'));
  await chmod(folder, 0o755);
  const user = await serverUser();
  if (user) await chown(folder, user.uid, user.gid);
  return folder;
}

/** By a shell, whose unit is 512 bytes; it becomes the program. */
function limited({ fileBytes }: ServerLimits, program: string, args: readonly string[]) {
  if (fileBytes === undefined) return { program, args };
  const script = `ulimit -f ${Math.floor(fileBytes / 512)}; exec "$0" "$@"`;
  return { program: '/bin/sh', args: ['-c', script, program, ...args] };
}

/** PostgreSQL refuses to run as root. */
async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Helped over folders that its user cannot enter (a clone in root's home), and ended with us. */
async function asServerUser(program: string, args: readonly string[]) {
  const env = { PATH: SYSTEM_PATH, LC_ALL: 'C' };
  const options = { cwd: '/', env };
  if (process.platform !== 'linux') return { file: program, args: [...args], options };
  const user = await serverUser();
  const identity = user
    ? [
        '--securebits=+no_setuid_fixup',
        `--reuid=${user.uid}`,
        `--regid=${user.gid}`,
        '--clear-groups',
        '--inh-caps=+dac_read_search',
        '--ambient-caps=+dac_read_search',
      ]
    : [];
  return { file: 'setpriv', args: ['--pdeathsig=INT', ...identity, '--', program, ...args], options };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
