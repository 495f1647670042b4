import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { EmbeddedStartError, fromWireError } from './embedded.errors.js';
import {
  parseEmbeddedOptions,
  type EmbeddedPostgresOptions,
  type ParsedEmbeddedOptions,
} from './embedded.options.js';
import { LineTail } from './line-tail.js';
import { clearPostmaster, readPostmasterFile } from './postmaster.js';
import type { OwnerMessage, ServerExit, ServerMessage } from './protocol.js';

/** Always the built file: the same path from `src` (tests) and from `dist`. */
const SERVER_PROCESS = fileURLToPath(new URL('../../dist/embedded/server-process.js', import.meta.url));
/** What the server process may need beyond the server's own shutdown, all escalations included. */
const STOP_GRACE_MS = 20_000;

type ReadyMessage = Extract<ServerMessage, { type: 'ready' }>;

/**
 * A PostgreSQL 18 of our own on 127.0.0.1, with its data in one folder. It lives in a separate process that stops
 * it when this process ends, in whatever way.
 */
export class EmbeddedPostgres {
  private constructor(
    /** With user and password, for any PostgreSQL client. */
    readonly url: string,
    readonly port: number,
    /** The postmaster's process number. */
    readonly pid: number,
    readonly dataDir: string,
    /** Resolves, and never rejects, when the server is gone: after `stop()`, or by itself. */
    readonly exited: Promise<ServerExit>,
    private readonly process: ServerProcess,
  ) {}

  /**
   * Starts the server, after creating the cluster (once, 2 to 5 s) and the database when they are missing.
   *
   * @throws {DatabaseOptionsError} {@link DataFolderVersionError} {@link DataFolderInUseError}
   *   {@link DataFolderForeignError} {@link DataFolderAccessError} {@link PortInUseError}
   *   {@link EmbeddedUserError} {@link EmbeddedInstallError} {@link EmbeddedStartError}
   */
  static async start(input: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const options = parseEmbeddedOptions(input);
    const process = new ServerProcess(options);
    const { port, pid, password } = await process.ready;
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(options.databaseName)}`;
    return new EmbeddedPostgres(url, port, pid, options.dataDir, process.exited, process);
  }

  /** Resolves when the server and its process are gone. Safe to call more than once. */
  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** Our end of the process that owns the server. */
class ServerProcess {
  readonly ready: Promise<ReadyMessage>;
  readonly exited: Promise<ServerExit>;
  private readonly child: ChildProcess;
  private readonly errors = new LineTail(() => undefined);
  private readonly closed: Promise<void>;
  private stopping: Promise<void> | undefined;

  constructor(private readonly options: ParsedEmbeddedOptions) {
    this.child = fork(SERVER_PROCESS, [], {
      detached: true,
      execArgv: [],
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    if (this.child.stderr) this.errors.read(this.child.stderr);
    this.closed = new Promise((resolve) => this.child.once('close', () => resolve()));
    this.ready = this.waitForReady();
    this.exited = this.waitForExit();
    this.child.on('message', (message: ServerMessage) => {
      if (message.type === 'log') options.onLog?.(message.line);
    });
    const { onLog: _, ...serverOptions } = options;
    this.send({ type: 'start', options: serverOptions });
  }

  stop(): Promise<void> {
    return (this.stopping ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    this.send({ type: 'stop' });
    const timer = new AbortController();
    const limitMs = this.options.stopTimeoutMs + STOP_GRACE_MS;
    const overdue = delay(limitMs, undefined, { signal: timer.signal }).then(
      () => this.child.kill('SIGKILL'),
      () => undefined,
    );
    await Promise.race([this.closed, overdue]);
    timer.abort();
    await this.closed;
    await this.stopOrphan();
  }

  /** Only when the server process was killed before us: normally there is nothing left to stop. */
  private async stopOrphan(): Promise<void> {
    const { dataDir, stopTimeoutMs, onLog = () => undefined } = this.options;
    if ((await this.exited).code !== null) return;
    const { pid } = await this.ready;
    // Another owner may have started its own server on the folder meanwhile.
    if ((await readPostmasterFile(dataDir))?.pid === pid)
      await clearPostmaster(dataDir, { stopTimeoutMs, onLog });
  }

  private waitForReady(): Promise<ReadyMessage> {
    return new Promise((resolve, reject) => {
      this.child.on('message', (message: ServerMessage) => {
        if (message.type === 'ready') resolve(message);
        if (message.type === 'failed') reject(fromWireError(message.error));
      });
      this.child.on('error', reject);
      this.child.once('close', (code, signal) =>
        reject(
          new EmbeddedStartError({
            reason: `its process ended with ${signal ?? code} before it was ready`,
            log: this.errors.lines,
          }),
        ),
      );
    });
  }

  private waitForExit(): Promise<ServerExit> {
    return new Promise((resolve) => {
      this.child.on('message', (message: ServerMessage) => {
        if (message.type === 'exited') resolve(message.exit);
      });
      // Killed before it could tell: the server may outlive it until `stop` or the next start.
      this.child.once('close', (_code, signal) => resolve({ code: null, signal, expected: false }));
    });
  }

  private send(message: OwnerMessage): void {
    if (!this.child.connected) return;
    // A process that ends at this moment is seen by its `close` event.
    this.child.send(message, () => undefined);
  }
}
