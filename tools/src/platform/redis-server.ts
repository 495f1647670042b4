import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { ProcessStartError } from '../tools.errors.ts';
import { findProgram } from './find-program.ts';
import type { LogFile } from './log-file.ts';
import { findFreePort, LOOPBACK } from './ports.ts';
import { comesWithin, whenClosed } from './process-end.ts';
import { sendSignal } from './process-identity.ts';
import type { Running } from './supervisor.ts';

const GUARD = fileURLToPath(new URL('guard.ts', import.meta.url));
const PROGRAMS = ['redis-server', 'valkey-server'];
const START_TIMEOUT_MS = 30_000;
/** More than the guard takes to kill. */
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

export interface RedisOptions {
  /** From {@link findRedisProgram}. */
  readonly program: string;
  readonly folder: string;
  readonly address: RedisAddress;
  readonly log: LogFile;
}

/** Where one server of ours listens, over its restarts. */
export interface RedisAddress {
  readonly port: number;
  readonly password: string;
}

/** @returns the path of the system's server, undefined when it has none */
export async function findRedisProgram(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  return findProgram(PROGRAMS, environment);
}

/** A free port, and a password: other users of this machine can reach the port too. */
export async function chooseRedisAddress(): Promise<RedisAddress> {
  return { port: await findFreePort(), password: randomBytes(24).toString('base64url') };
}

export function redisUrl({ port, password }: RedisAddress): string {
  return `redis://:${password}@${LOOPBACK}:${port}`;
}

/** A Redis of our own that keeps nothing on disk; it ends with this process, in whatever way that ends. */
export class RedisServer implements Running {
  readonly pid: number;
  readonly ended: Promise<string>;
  private readonly guard: ChildProcess;

  private constructor(guard: ChildProcess, pid: number, ended: Promise<string>) {
    this.guard = guard;
    this.pid = pid;
    this.ended = ended;
    // Without its guard nobody would end the server: it ends with it, and both are started again.
    guard.once('exit', (_code, signal) => {
      if (signal !== null && pid > 0) sendSignal(pid, 'SIGKILL');
    });
  }

  /**
   * Resolves when the server answers.
   *
   * @throws {ProcessStartError} with its last lines
   */
  static async start({ program, folder, address, log }: RedisOptions): Promise<RedisServer> {
    await mkdir(folder, { recursive: true });
    const configuration = join(folder, 'redis.conf');
    await writeFile(configuration, describeServer(folder, address), { mode: 0o600 });
    const guard = fork(GUARD, ['SIGTERM', program, configuration], {
      cwd: folder,
      detached: true,
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [guard.stdout, guard.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => log.write(line));
    }
    const ended = whenClosed(guard);
    const pid = await Promise.race([waitForPid(guard), ended.then(() => 0)]);
    const server = new RedisServer(guard, pid, ended);
    if (await answers(address, ended)) return server;
    await server.stop();
    const lines = log.tail.map((line) => `  ${line}`);
    throw new ProcessStartError([`Redis (${program}) did not start:`, ...lines].join('\n'));
  }

  async stop(): Promise<void> {
    // Not `disconnect`: after it Node never says `close` (seen with 24.21). A guard that just ended is no error.
    if (this.guard.connected) this.guard.send('stop', () => undefined);
    if (!(await comesWithin(this.ended, STOP_TIMEOUT_MS))) this.guard.kill('SIGKILL');
    await this.ended;
  }
}

function describeServer(folder: string, { port, password }: RedisAddress): string {
  return [
    `bind ${LOOPBACK}`,
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(folder)}`,
    'daemonize no',
    'logfile ""',
    'save ""',
    'appendonly no',
    '',
  ].join('\n');
}

function waitForPid(guard: ChildProcess): Promise<number> {
  return new Promise((resolve) =>
    guard.once('message', (message) => resolve((message as { pid: number }).pid)),
  );
}

/** Only our server knows the password, so a stranger on the port is not taken for it. */
async function answers(address: RedisAddress, ended: Promise<string>): Promise<boolean> {
  const isOver = { value: false };
  void ended.then(() => (isOver.value = true));
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!isOver.value && performance.now() < deadline) {
    if ((await ask(address)).includes('+PONG')) return true;
    await delay(POLL_MS);
  }
  return false;
}

/** @returns what the server said to AUTH and PING; empty when it is not there yet */
function ask({ port, password }: RedisAddress): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, LOOPBACK, () => socket.end(`AUTH ${password}\r\nPING\r\nQUIT\r\n`));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => resolve(''));
    socket.on('close', () => resolve(answer));
  });
}
