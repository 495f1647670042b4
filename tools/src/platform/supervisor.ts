import { setTimeout as delay } from 'node:timers/promises';

import { ProcessLostError } from '../tools.errors.ts';

/** A process, or something like it, that was started and may end by itself. */
export interface Running {
  readonly pid: number;
  /** Resolves with a phrase when it has ended, in whatever way: "exit code 1". Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it. Resolves when it is gone. Safe to call when it has ended. */
  stop(): Promise<void>;
}

export interface SupervisorOptions<T extends Running> {
  /** In messages. */
  readonly name: string;
  /** Starts it; resolves when it serves. Called again after each unexpected end. The signal means: no longer wanted. */
  readonly start: (signal: AbortSignal) => Promise<T>;
  /** It was lost, or is back. */
  readonly onChange: () => void;
  /** Tells a person what happens. */
  readonly warn: (message: string) => void;
  /** Its last log lines, for the message that gives up. */
  readonly tail: () => readonly string[];
  /** Before the first restart; each further one waits twice as long. @default 1000 */
  readonly firstDelayMs?: number;
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
/** Ends that follow each other this often, each within `STABLE_MS` of its start, are not put right by a restart. */
const MAX_FAILURES = 5;
const STABLE_MS = 60_000;

/** Keeps one process running: starts it again with growing delays, and gives up when that does not help. */
export class Supervisor<T extends Running> {
  /** Resolves when it gave up. Never rejects. */
  readonly failed: Promise<ProcessLostError>;
  private readonly options: SupervisorOptions<T>;
  private readonly stopping = new AbortController();
  private readonly giveUp: (error: ProcessLostError) => void;
  private running: T | undefined;
  private watching: Promise<void> | undefined;

  constructor(options: SupervisorOptions<T>) {
    this.options = options;
    const { promise, resolve } = Promise.withResolvers<ProcessLostError>();
    this.failed = promise;
    this.giveUp = resolve;
  }

  get name(): string {
    return this.options.name;
  }

  /** What runs now; undefined between an end and the restart. */
  get current(): T | undefined {
    return this.running;
  }

  /** The first start: its failure is the caller's. */
  async start(): Promise<T> {
    const first = await this.options.start(this.stopping.signal);
    this.running = first;
    this.watching = this.watch(first);
    return first;
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running?.stop();
    await this.watching;
  }

  private async watch(first: T): Promise<void> {
    let failures = 0;
    for (let running: T | undefined = first; running !== undefined;) {
      const startedAt = performance.now();
      const reason = await running.ended;
      if (this.stopping.signal.aborted) return;
      this.running = undefined;
      this.options.onChange();
      if (performance.now() - startedAt > STABLE_MS) failures = 0;
      [running, failures] = await this.restart(reason, failures);
    }
  }

  private async restart(reason: string, failures: number): Promise<[T | undefined, number]> {
    const { name, start, onChange, warn, firstDelayMs = FIRST_DELAY_MS } = this.options;
    for (;;) {
      failures += 1;
      if (failures > MAX_FAILURES) {
        this.giveUp(this.describeLoss(reason));
        return [undefined, failures];
      }
      const delayMs = Math.min(firstDelayMs * 2 ** (failures - 1), LONGEST_DELAY_MS);
      warn(`${name} ended: ${reason}. It is started again in ${delayMs / 1_000} s.`);
      if (!(await this.waits(delayMs))) return [undefined, failures];
      try {
        const running = await start(this.stopping.signal);
        if (this.stopping.signal.aborted) {
          await running.stop();
          return [undefined, failures];
        }
        this.running = running;
        warn(`${name} runs again (process ${running.pid}).`);
        onChange();
        return [running, failures];
      } catch (error) {
        if (this.stopping.signal.aborted) return [undefined, failures];
        reason = error instanceof Error ? error.message : String(error);
      }
    }
  }

  /** @returns false when the stop came first */
  private async waits(delayMs: number): Promise<boolean> {
    try {
      await delay(delayMs, undefined, { signal: this.stopping.signal });
      return true;
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      throw error;
    }
  }

  private describeLoss(reason: string): ProcessLostError {
    const lines = this.options.tail().map((line) => `  ${line}`);
    return new ProcessLostError(
      [`${this.name} ended ${MAX_FAILURES + 1} times, last: ${reason}. Its last lines:`, ...lines].join('\n'),
    );
  }
}
