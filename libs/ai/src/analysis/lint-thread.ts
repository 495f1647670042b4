import { type Linter } from 'eslint';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AiAnalysisError, AiAnalysisTimeoutError } from '../ai.errors.js';
import { type LintJob, type LintOutcome } from './lint-worker.js';

/** Memory of the thread, MiB; a parse of the largest code that is taken needs less. */
const MAX_HEAP_MB = 768;
/** Node runs either. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

interface Waiting {
  readonly job: LintJob;
  readonly resolve: (messages: readonly Linter.LintMessage[]) => void;
  readonly reject: (error: Error) => void;
}

/** ESLint in a thread of its own, one job after the other. A job that takes too long ends the thread; the next gets a new one. */
export class LintThread {
  readonly #queue: Waiting[] = [];
  #current: Waiting | undefined;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;

  /** @param timeoutMs of one job, the loading of ESLint included */
  constructor(private readonly timeoutMs: number) {}

  /** @throws {AiAnalysisTimeoutError} {@link AiAnalysisError} */
  lint(job: Omit<LintJob, 'id'>): Promise<readonly Linter.LintMessage[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ job: { ...job, id: this.#nextId++ }, resolve, reject });
      this.#startNext();
    });
  }

  async close(): Promise<void> {
    const left = [...(this.#current ? [this.#current] : []), ...this.#queue.splice(0)];
    await this.#drop();
    for (const { reject } of left) reject(new AiAnalysisError('the process is closing'));
  }

  #startNext(): void {
    if (this.#current) return;
    this.#current = this.#queue.shift();
    if (!this.#current) return void this.#worker?.unref();
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#timer = setTimeout(() => this.#fail(new AiAnalysisTimeoutError(this.timeoutMs)), this.timeoutMs);
    this.#worker.postMessage(this.#current.job);
  }

  #start(): Worker {
    const worker = new Worker(fileURLToPath(new URL(`./lint-worker.${EXTENSION}`, import.meta.url)), {
      // Nothing of ours is its business.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    worker.on('message', (outcome: LintOutcome) => this.#settle(outcome));
    worker.on('error', (error: Error) => {
      if (worker === this.#worker) this.#fail(new AiAnalysisError(error.message, { cause: error }));
    });
    return worker;
  }

  #settle({ id, messages, error }: LintOutcome): void {
    const current = this.#current;
    if (current?.job.id !== id) return;
    this.#finish();
    if (messages) current.resolve(messages);
    else current.reject(new AiAnalysisError(error ?? 'no result came'));
    this.#startNext();
  }

  #fail(error: Error): void {
    const current = this.#current;
    void this.#drop();
    current?.reject(error);
    this.#startNext();
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#current = undefined;
  }

  async #drop(): Promise<void> {
    this.#finish();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
