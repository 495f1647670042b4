import { spawn, type ChildProcess } from 'node:child_process';

import { ROOT } from '../paths.ts';
import { InterruptedError, ProcessStartError } from '../tools.errors.ts';
import { AppLog } from './app-log.ts';
import type { LogFile } from './log-file.ts';
import { comesWithin, whenClosed } from './process-end.ts';
import { sendSignal } from './process-identity.ts';
import type { Running } from './supervisor.ts';

const START_TIMEOUT_MS = 120_000;

export interface AppProcessOptions {
  /** In messages: `api`, `worker-1`. */
  readonly name: string;
  /** The built program. */
  readonly script: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: LogFile;
  readonly show: (text: string) => void;
  /** From SIGTERM to SIGKILL, milliseconds. */
  readonly stopTimeoutMs: number;
  /** Aborted: it is no longer wanted. */
  readonly signal: AbortSignal;
  /** Aborted: stopping must not wait. */
  readonly force: AbortSignal;
}

/**
 * One process of an app. It runs in a group of its own, so that Ctrl-C in the terminal reaches only us and the
 * stop keeps its order; it ends by itself when we are gone, because its IPC channel closes.
 */
export class AppProcess implements Running {
  readonly pid: number;
  readonly ended: Promise<string>;
  /** Where it answers. */
  readonly url: string;
  private readonly options: AppProcessOptions;

  private constructor(options: AppProcessOptions, pid: number, ended: Promise<string>, url: string) {
    this.options = options;
    this.pid = pid;
    this.ended = ended;
    this.url = url;
  }

  /**
   * Resolves when the app listens.
   *
   * @throws {ProcessStartError} with what it said, when it ends before, or is silent for two minutes
   * @throws {InterruptedError} when `signal` is aborted before it listens
   */
  static async start(options: AppProcessOptions): Promise<AppProcess> {
    const child = spawn(process.execPath, ['--enable-source-maps', options.script], {
      cwd: ROOT,
      env: options.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const ended = whenClosed(child);
    const log = new AppLog({ file: options.log, show: options.show });
    if (child.stdout && child.stderr) log.read(child.stdout, child.stderr);
    const listening = waitForUrl(child);
    await comesWithin(Promise.race([listening, ended]), START_TIMEOUT_MS, options.signal);
    const url = await Promise.race([listening, Promise.resolve(undefined)]);
    const app = new AppProcess(options, child.pid ?? 0, ended, url ?? '');
    if (url === undefined) {
      const isAlive = child.exitCode === null && child.signalCode === null;
      await app.stop();
      if (options.signal.aborted) throw new InterruptedError();
      throw describeFailure(options, log, isAlive ? 'it did not listen in time' : await ended);
    }
    log.started();
    return app;
  }

  async stop(): Promise<void> {
    const { stopTimeoutMs, force } = this.options;
    if (this.pid === 0) return;
    if (!force.aborted) sendSignal(this.pid, 'SIGTERM');
    const isGone = await comesWithin(this.ended, force.aborted ? 0 : stopTimeoutMs, force);
    // The whole group: what it may have started goes with it.
    if (!isGone) sendSignal(-this.pid, 'SIGKILL');
    await this.ended;
  }
}

function waitForUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      const { type, url } = message as { type?: unknown; url?: unknown };
      if (type === 'listening' && typeof url === 'string') resolve(url);
    });
  });
}

function describeFailure({ name, log }: AppProcessOptions, { startFailure }: AppLog, reason: string): Error {
  if (startFailure !== '') return new ProcessStartError(startFailure);
  const lines = log.tail.map((line) => `  ${line}`);
  return new ProcessStartError([`${name} did not start: ${reason}. Its last lines:`, ...lines].join('\n'));
}
