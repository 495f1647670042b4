import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 20;
/** Ports are chosen before the server listens: another program may be faster. */
const ATTEMPTS = 3;

/** A server of the system that a test has started. */
export interface RunningServer {
  /** Scheme, address and port. */
  readonly url: string;
  readonly pid: number;
  /** What it has printed. */
  readonly output: () => string;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly program: string;
  /** For the port that it is to listen on. */
  readonly args: (port: number) => readonly string[] | Promise<readonly string[]>;
  /** Said when the program is missing. */
  readonly install: string;
}

/**
 * Starts a server on a free port of the loopback address and waits until it listens there.
 *
 * @throws {Error} that says what to install, or what the server said
 */
export async function startServer(command: ServerCommand): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(command, await findFreePort());
    } catch (error) {
      if (attempt >= ATTEMPTS || !/in use/i.test(String(error))) throw error;
    }
  }
}

async function startOnce({ program, args, install }: ServerCommand, port: number): Promise<RunningServer> {
  const child = spawn(await pathOf(program), await args(port), { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${error.message}. ${install}`));
    child.once('close', (code) => resolve(`It ended with ${code}:\n${output}`));
  });
  const server: RunningServer = {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output: () => output,
    stop: () => stop(child),
  };
  const reason = await Promise.race([ended, untilListening(port)]);
  if (reason === undefined) return server;
  await server.stop();
  throw new Error(`${program} did not start. ${reason}`);
}

/** An ordinary user's PATH does not name the folder in which Debian has servers. */
async function pathOf(program: string): Promise<string> {
  const path = `/usr/sbin/${program}`;
  const exists = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return exists ? path : program;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}

/** @returns why not, else nothing */
async function untilListening(port: number): Promise<string | undefined> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (await accepts(port)) return undefined;
    await delay(POLL_MS);
  }
  return `Nothing listens on port ${port} after ${START_TIMEOUT_MS} ms`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
