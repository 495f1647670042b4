import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { Binaries } from './binaries.js';
import { EmbeddedStartError, PortInUseError } from './embedded.errors.js';
import { LineTail } from './line-tail.js';
import { markedArguments, readPostmasterFile, signalProcess } from './postmaster.js';
import type { ServerExit } from './protocol.js';
import { asServerUser } from './server-program.js';
import type { ServerUser } from './server-user.js';

const HOST = '127.0.0.1';
const POLL_MS = 20;
const IMMEDIATE_STOP_MS = 5_000;
/** How often a free port that another program took meanwhile is replaced. */
const PORT_ATTEMPTS = 5;
/** Backends of a killed server need a moment to notice that it is gone; until then they hold its shared memory. */
const LEFTOVER_WAIT_MS = 15_000;

export interface ServerCommand {
  readonly dataDir: string;
  readonly binaries: Binaries;
  readonly user: ServerUser;
  readonly port: number | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly onLog: (line: string) => void;
}

const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  max_connections: '200',
  shared_buffers: '256MB',
  shared_preload_libraries: 'pg_stat_statements',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
};

/** One running postmaster, our direct child. */
export class PostgresServer {
  readonly exited: Promise<ServerExit>;
  #expected = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly tail: LineTail,
    readonly port: number,
  ) {
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve({ code: null, signal: error.message, expected: false }));
      child.once('exit', (code, signal) => resolve({ code, signal, expected: this.#expected }));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /**
   * @throws {PortInUseError} only for a port that was asked for
   * @throws {EmbeddedStartError} with the last lines of the server's log
   */
  static async start(command: ServerCommand): Promise<PostgresServer> {
    const leftoverDeadline = performance.now() + LEFTOVER_WAIT_MS;
    for (let portAttempt = 1; ;) {
      const port = command.port ?? (await findFreePort());
      if (command.port !== undefined && (await isPortOpen(port))) throw new PortInUseError({ port });
      const server = PostgresServer.launch(command, port);
      if (await server.becomesReady(command)) return server;
      if (server.tail.includes('could not bind') || server.tail.includes('Address already in use')) {
        if (command.port !== undefined || portAttempt++ >= PORT_ATTEMPTS) throw new PortInUseError({ port });
      } else if (!server.tail.includes('still in use') || performance.now() > leftoverDeadline) {
        const { code, signal } = await server.exited;
        throw new EmbeddedStartError({ reason: `it ended with ${signal ?? code}`, log: server.tail.lines });
      }
      await delay(POLL_MS * 5);
    }
  }

  /** Fast shutdown; immediate when that takes longer than `timeoutMs`. Safe to call twice. */
  async stop(timeoutMs: number): Promise<ServerExit> {
    this.#expected = true;
    const steps = [
      ['SIGINT', timeoutMs],
      ['SIGQUIT', IMMEDIATE_STOP_MS],
      ['SIGKILL', IMMEDIATE_STOP_MS],
    ] as const;
    for (const [signal, waitMs] of steps) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) break;
      signalProcess(this.pid, signal);
      await this.endsWithin(waitMs);
    }
    return this.exited;
  }

  private static launch(command: ServerCommand, port: number): PostgresServer {
    const settings = {
      ...DEFAULT_SETTINGS,
      ...command.settings,
      listen_addresses: HOST,
      unix_socket_directories: '',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const { file, args, options } = asServerUser(command.user, command.binaries.postgres, [
      ...markedArguments(command.dataDir),
      '-p',
      String(port),
      ...flags,
    ]);
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const tail = new LineTail(command.onLog);
    tail.read(child.stdout);
    tail.read(child.stderr);
    return new PostgresServer(child, tail, port);
  }

  /** As pg_ctl does: the state in postmaster.pid counts, whatever the log settings are. */
  private async becomesReady({ dataDir, startTimeoutMs, stopTimeoutMs }: ServerCommand): Promise<boolean> {
    // `close` comes after the last log line, which says why.
    const closed = new Promise<true>((resolve) => this.child.once('close', () => resolve(true)));
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      const file = await readPostmasterFile(dataDir);
      if (file?.pid === this.pid && file.status === 'ready') return true;
      if (performance.now() > deadline) {
        await this.stop(stopTimeoutMs);
        throw new EmbeddedStartError({
          reason: `not ready after ${startTimeoutMs} ms`,
          log: this.tail.lines,
        });
      }
      if (await Promise.race([closed, delay(POLL_MS, false)])) return false;
    }
  }

  private async endsWithin(waitMs: number): Promise<void> {
    const timer = new AbortController();
    await Promise.race([
      this.exited,
      delay(waitMs, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, HOST);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function isPortOpen(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
