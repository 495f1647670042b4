import { HealthCheckStuckError, HealthCheckTimeoutError, HealthStoppedError } from '../health.errors.js';
import {
  type CheckResult,
  DEFAULT_CHECK_INTERVAL_MS,
  DEFAULT_CHECK_TIMEOUT_MS,
  type HealthCheck,
} from './health-check.js';

/** Half the width of the jitter as a share of the interval: replicas do not probe a dependency in step. */
const JITTER = 0.1;

/** Told when a check's status differs from its last one; `previous` is undefined at the first run. */
export type CheckChangeListener = (
  check: HealthCheck,
  result: CheckResult,
  previous: CheckResult | undefined,
) => void;

/**
 * Runs one check: at most one run at a time, shared by everyone who waits; a deadline; the last result kept
 * and refreshed in the background.
 */
export class CheckRunner {
  readonly intervalMs: number;
  readonly #timeoutMs: number;
  readonly #onChange: CheckChangeListener;
  #last: CheckResult | undefined;
  #running: Promise<CheckResult> | undefined;
  #unsettled = false;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    readonly check: HealthCheck,
    onChange: CheckChangeListener,
  ) {
    this.intervalMs = check.intervalMs ?? DEFAULT_CHECK_INTERVAL_MS;
    this.#timeoutMs = check.timeoutMs ?? DEFAULT_CHECK_TIMEOUT_MS;
    this.#onChange = onChange;
  }

  /** The result of the last run, however old; undefined before the first one ended. */
  get last(): CheckResult | undefined {
    return this.#last;
  }

  /** Runs the check now and then every `intervalMs` in the background, without keeping the process alive. */
  start(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#schedule(0);
  }

  /** Ends the background runs and aborts the signal of the current one. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#controller?.abort(new HealthStoppedError());
  }

  /** The last result while it is younger than `intervalMs`, else the result of a run. Never rejects. */
  current(): Promise<CheckResult> {
    if (this.#last !== undefined && performance.now() - this.#last.atMs < this.intervalMs) {
      return Promise.resolve(this.#last);
    }
    return this.run();
  }

  /** Starts a run, or joins the one that is under way. Never rejects. */
  run(): Promise<CheckResult> {
    this.#running ??= this.#execute().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      void this.run().then(() => {
        if (!this.#stopped) this.#schedule(this.intervalMs * (1 + JITTER * (2 * Math.random() - 1)));
      });
    }, delayMs).unref();
  }

  async #execute(): Promise<CheckResult> {
    const startMs = performance.now();
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#attempt();
    } catch (error) {
      failure = { error };
    }
    const atMs = performance.now();
    const durationMs = atMs - startMs;
    const result: CheckResult =
      failure === undefined
        ? { status: 'up', atMs, durationMs }
        : { status: 'down', atMs, durationMs, error: failure.error };
    this.#record(result);
    return result;
  }

  #record(result: CheckResult): void {
    const previous = this.#last;
    this.#last = result;
    // Clients close while the application stops; that is no news.
    if (!this.#stopped && previous?.status !== result.status) this.#onChange(this.check, result, previous);
  }

  async #attempt(): Promise<void> {
    // A check that ignores its signal would otherwise pile up one hanging call an interval.
    if (this.#unsettled) throw new HealthCheckStuckError(this.check.name);
    const controller = new AbortController();
    this.#controller = controller;
    const aborted = new Promise<never>((_resolve, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error), {
        once: true,
      });
    });
    const timer = setTimeout(() => {
      controller.abort(new HealthCheckTimeoutError(this.check.name, this.#timeoutMs));
    }, this.#timeoutMs).unref();
    try {
      await Promise.race([this.#call(controller.signal), aborted]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #call(signal: AbortSignal): Promise<void> {
    this.#unsettled = true;
    try {
      await this.check.check(signal);
    } finally {
      this.#unsettled = false;
    }
  }
}
