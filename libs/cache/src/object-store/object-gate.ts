import {
  circuitBreaker,
  CircuitState,
  handleWhen,
  SamplingBreaker,
  timeout,
  TimeoutStrategy,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import { ObjectStoreFullError, ObjectTooLargeError } from '../cache.errors.js';
import type { ObjectStore } from './object-store.js';

/** Opens when more than half of the operations of the last ten seconds failed, given at least one in two seconds. */
const BREAKER = { threshold: 0.5, duration: 10_000, minimumRps: 0.5 };
const RETRY_MS = 2_000;
/** No object has this name; to ask for it tells whether the store answers. */
const PROBE_KEY = 'probe';

/** A failure for which the store is not to blame, with what went wrong as its `cause`. */
export class SourceFailure extends Error {}

const isFault = (error: unknown) => !(error instanceof SourceFailure || error instanceof ObjectTooLargeError);

/** What the gate tells its owner, and what tests may set. */
export interface ObjectGateOptions {
  /** Deadline of one operation, milliseconds. */
  readonly timeoutMs: number;
  onAvailable?(): void;
  onUnavailable?(cause: string): void;
  /** Milliseconds between the trials of a store that failed. @default 2,000 */
  readonly retryMs?: number;
}

/**
 * The way to an object store: deadlines, and a circuit breaker for reads and one for writes, since a full disk can still
 * be read. Callers look at {@link available} first: when it is false they go without the store at no cost. Trials of
 * the reads are made in the background, so no request waits for one; nobody waits for a write, so they are their own.
 */
export class ObjectGate {
  readonly #reads: CircuitBreakerPolicy;
  readonly #writes: CircuitBreakerPolicy;
  readonly #retryMs: number;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** Operations that failed or ran into their deadline. */
  errors = 0;

  constructor(
    readonly store: ObjectStore,
    private readonly options: ObjectGateOptions,
  ) {
    this.#retryMs = options.retryMs ?? RETRY_MS;
    this.#reads = this.#newBreaker(() => true);
    // A store that is only full has room again when it has evicted something, which it does with the next write.
    this.#writes = this.#newBreaker((error) => isFault(error) && !(error instanceof ObjectStoreFullError));
  }

  /** Whether reads get through. */
  get available(): boolean {
    return !this.#closed && this.#reads.state === CircuitState.Closed;
  }

  get timeoutMs(): number {
    return this.options.timeoutMs;
  }

  /** @throws whatever went wrong; it is counted. */
  async read<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#reads.execute(() => this.#inTime(this.timeoutMs, run));
    } catch (error) {
      this.errors++;
      this.#lookAfter(error);
      throw error;
    }
  }

  /**
   * @param deadlineMs Infinity when `run` sees to that itself
   * @throws whatever went wrong; it is counted.
   */
  async write<T>(run: (signal: AbortSignal) => Promise<T>, deadlineMs: number): Promise<T> {
    try {
      return await this.#writes.execute(() => this.#inTime(deadlineMs, run));
    } catch (error) {
      if (isFault(error)) this.errors++;
      throw error;
    }
  }

  /** Stops the trials; what is under way settles by itself. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  #newBreaker(isFailure: (error: unknown) => boolean): CircuitBreakerPolicy {
    return circuitBreaker(handleWhen(isFailure), {
      halfOpenAfter: this.#retryMs,
      breaker: new SamplingBreaker(BREAKER),
    });
  }

  #inTime<T>(deadlineMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (deadlineMs === Infinity) return run(new AbortController().signal);
    // Not on return: the body of an object is read after it.
    const deadline = timeout(deadlineMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
    return deadline.execute(({ signal }) => run(signal));
  }

  #lookAfter(error: unknown): void {
    if (this.#reads.state === CircuitState.Closed || this.#retry !== undefined || this.#closed) return;
    this.options.onUnavailable?.(error instanceof Error ? error.message : 'no answer');
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => void this.#try(), this.#retryMs + 1).unref();
  }

  async #try(): Promise<void> {
    try {
      await this.#reads.execute(() =>
        this.#inTime(this.timeoutMs, (signal) => this.store.head(PROBE_KEY, { signal })),
      );
      this.#retry = undefined;
      if (!this.#closed) this.options.onAvailable?.();
    } catch {
      this.errors++;
      this.#tryLater();
    }
  }
}
