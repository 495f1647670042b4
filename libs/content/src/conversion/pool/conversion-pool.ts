import { Worker } from 'node:worker_threads';
import type { Conversion } from '../conversion-format.js';
import type { ConversionJob } from '../convert.js';
import { ConversionBusyError, ConversionRefusedError } from '../conversion.errors.js';
import type { ConversionAnswer } from './conversion-answer.js';

export interface ConversionPoolOptions {
  /** Threads at most; each is made when it is first needed, and kept. */
  threads: number;
  /** How long one conversion may run, milliseconds. Its thread is ended then. */
  timeoutMs: number;
  /** How many may wait for a thread. */
  maxQueued: number;
  /** Memory of a thread's objects, MiB. It is ended when it needs more. */
  memoryMib: number;
  /** The thread's program. @default the built one beside this file */
  program?: URL;
}

interface Waiting {
  job: ConversionJob;
  resolve: (conversion: Conversion) => void;
  reject: (error: Error) => void;
  signal: AbortSignal | undefined;
}

/**
 * Conversions in threads of their own: a text that keeps a parser busy for minutes, or has it ask for gigabytes, costs its
 * thread and no request of others. A thread has one job at a time.
 */
export class ConversionPool {
  readonly #options: ConversionPoolOptions;
  readonly #idle: Worker[] = [];
  readonly #threads = new Set<Worker>();
  readonly #queue: Waiting[] = [];

  constructor(options: ConversionPoolOptions) {
    this.#options = options;
  }

  /**
   * @throws {ConversionRefusedError} also when it took too long or too much memory
   * @throws {ConversionBusyError} at once
   * @throws the reason of `signal`
   */
  run(job: ConversionJob, signal?: AbortSignal): Promise<Conversion> {
    if (this.#isFull()) return Promise.reject(new ConversionBusyError());
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, resolve, reject, signal });
      this.#next();
    });
  }

  /** Ends all threads; what waits or runs is rejected. */
  async close(): Promise<void> {
    for (const { reject } of this.#queue.splice(0)) reject(new ConversionBusyError());
    await Promise.all([...this.#threads].map((it) => it.terminate()));
  }

  #isFull(): boolean {
    const isBusy = this.#idle.length === 0 && this.#threads.size >= this.#options.threads;
    return isBusy && this.#queue.length >= this.#options.maxQueued;
  }

  #next(): void {
    const thread = this.#queue.length > 0 ? (this.#idle.pop() ?? this.#start()) : undefined;
    const waiting = thread && this.#queue.shift();
    if (!waiting) return;
    if (waiting.signal?.aborted) {
      this.#idle.push(thread);
      waiting.reject(waiting.signal.reason as Error);
      return this.#next();
    }
    void this.#convert(thread, waiting).finally(() => this.#next());
  }

  #start(): Worker | undefined {
    if (this.#threads.size >= this.#options.threads) return undefined;
    const program = this.#options.program ?? new URL('./conversion-worker.js', import.meta.url);
    const thread = new Worker(program, {
      resourceLimits: { maxOldGenerationSizeMb: this.#options.memoryMib },
      // It needs nothing of the process's own: neither its secrets nor its flags.
      env: {},
      execArgv: [],
    });
    this.#threads.add(thread);
    // An idle thread holds nobody up, and one that ends while it is idle is replaced when it is needed.
    thread.on('error', () => undefined);
    thread.once('exit', () => {
      this.#threads.delete(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return thread;
  }

  async #convert(thread: Worker, { job, resolve, reject, signal }: Waiting): Promise<void> {
    thread.ref();
    try {
      resolve(conversionOf(await this.#answer(thread, job, signal)));
    } catch (error) {
      reject(error as Error);
    }
    if (!this.#threads.has(thread)) return;
    thread.unref();
    this.#idle.push(thread);
  }

  async #answer(
    thread: Worker,
    job: ConversionJob,
    signal: AbortSignal | undefined,
  ): Promise<ConversionAnswer> {
    const { timeoutMs } = this.#options;
    const settled = Promise.withResolvers<ConversionAnswer>();
    let end: Error | undefined;
    const stop = (reason: Error) => {
      end ??= reason;
      void thread.terminate();
    };
    const onAbort = () => stop(signal?.reason as Error);
    const onExit = () =>
      settled.reject(end ?? new ConversionRefusedError('The conversion needs too much memory'));
    const onError = (error: Error & { code?: string }) => {
      // Of the defect of a program; out of memory has the message of `onExit`.
      if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') end ??= error;
    };
    const timer = setTimeout(
      () => stop(new ConversionRefusedError(`The conversion takes longer than ${timeoutMs} ms`)),
      timeoutMs,
    );
    thread.once('message', settled.resolve).once('exit', onExit).once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
    thread.postMessage(job);
    try {
      return await settled.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      thread.off('message', settled.resolve).off('exit', onExit).off('error', onError);
    }
  }
}

function conversionOf(answer: ConversionAnswer): Conversion {
  if (answer.kind === 'converted') return answer.conversion;
  if (answer.kind === 'refused') throw new ConversionRefusedError(answer.reason);
  throw new Error(`A converter failed: ${answer.message}`);
}
