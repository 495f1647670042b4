import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { closeListener } from './close-listener.js';
import type { ResponseTracker } from './response-tracker.js';

/**
 * A repeat of a signal within this time is an echo: Ctrl-C reaches the whole process group, and a supervisor
 * in it passes the signal on. Milliseconds.
 */
const ECHO_MS = 500;

/** Where the drain reports its steps. Nest's `Logger` fits. */
export interface DrainLog {
  log(message: string): void;
  error(message: string, stack?: string): void;
}

/** The part of `process` that draining needs. */
export interface DrainProcess {
  on(event: 'SIGTERM' | 'SIGINT' | 'disconnect', listener: () => void): unknown;
  exit(code: number): void;
  /** False when the parent's IPC channel has closed already, undefined when there never was one. */
  readonly connected?: boolean;
}

/** Everything a drain works with. */
export interface DrainContext {
  readonly server: Server;
  readonly responses: ResponseTracker;
  readonly drainMs: number;
  readonly timeoutMs: number;
  readonly health: { beginDrain(): void };
  readonly log: DrainLog;
  readonly process: DrainProcess;
  readonly closeApp: () => Promise<void>;
}

/** The end of a process, in order. Made by `drainOnSignals`. */
export class Drain {
  readonly #context: DrainContext;
  readonly #signals = new Map<string, number>();
  #running: Promise<void> | undefined;
  #exited = false;

  constructor(context: DrainContext) {
    this.#context = context;
  }

  /** Waits for signals; starts at once when the parent is gone already. */
  listen(): void {
    const { process } = this.#context;
    process.on('SIGTERM', () => this.#onSignal('SIGTERM'));
    process.on('SIGINT', () => this.#onSignal('SIGINT'));
    process.on('disconnect', () => void this.start('the parent process is gone'));
    if (process.connected === false) void this.start('the parent process is gone');
  }

  /**
   * Drains and ends the process. A second call joins the first. Never rejects: a failure is logged and is
   * exit code 1.
   *
   * @param reason goes to the log
   */
  start(reason: string): Promise<void> {
    this.#running ??= this.#run(reason);
    return this.#running;
  }

  #onSignal(signal: string): void {
    const firstMs = this.#signals.get(signal);
    const nowMs = performance.now();
    if (firstMs === undefined) {
      this.#signals.set(signal, nowMs);
      void this.start(signal);
    } else if (nowMs - firstMs >= ECHO_MS) {
      this.#fail(`${signal} came again: leaving without waiting for requests in flight`);
    }
  }

  async #run(reason: string): Promise<void> {
    const { drainMs, timeoutMs, log } = this.#context;
    log.log(`Shutting down (${reason}): draining for ${drainMs} ms`);
    const deadline = setTimeout(() => {
      this.#fail(`Shutdown did not finish within ${timeoutMs} ms: ${this.#unfinished()}`);
    }, timeoutMs);
    try {
      await this.#drain();
      log.log('Shut down');
      this.#exit(0);
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.#fail(`Shutdown failed: ${error instanceof Error ? error.message : String(error)}`, stack);
    } finally {
      clearTimeout(deadline);
    }
  }

  async #drain(): Promise<void> {
    const { server, responses, health, drainMs, closeApp } = this.#context;
    health.beginDrain();
    responses.beginDrain();
    if (server.listening) {
      await delay(drainMs);
      await closeListener(server, responses);
    }
    await closeApp();
  }

  #unfinished(): string {
    const { size } = this.#context.responses;
    return size === 0 ? 'the application is still closing' : `${size} requests are still in flight`;
  }

  #fail(message: string, stack?: string): void {
    if (this.#exited) return;
    this.#context.log.error(message, stack);
    this.#exit(1);
  }

  #exit(code: number): void {
    if (this.#exited) return;
    this.#exited = true;
    this.#context.process.exit(code);
  }
}
