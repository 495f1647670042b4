import { type Span } from '@opentelemetry/api';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { type TaskContext, type TaskProgress } from '../definition/task-executor.js';
import { encodeResult, type EncodedPayload } from '../definition/task-payload.js';
import { TaskOwnershipLostError } from '../task-queue.errors.js';
import { type TraceContext } from '../tracing/trace-context.js';
import { type Company } from './isolation.js';
import { LazyAbort } from './lazy-abort.js';
import { storableText } from './storable-text.js';

/** Where an attempt's progress and log lines go. */
export interface AttemptReporter {
  progress(value: TaskProgress): Promise<void>;
  log(line: string): Promise<void>;
}

export interface AttemptInput {
  readonly definition: AnyTaskDefinition;
  readonly id: string;
  /** From 1. */
  readonly number: number;
  /** Of this claim. */
  readonly fence: number;
  readonly payload: EncodedPayload;
  /** As in the store: lower is more urgent. */
  readonly priority: number;
  readonly reporter: AttemptReporter;
  readonly company: Company;
  /** Where its task was submitted. */
  readonly trace?: TraceContext | undefined;
  /** Completes the task in the transaction of the calling code; tells when that has committed. */
  readonly complete: (result: string, onCommit: () => void) => Promise<void>;
  /** Told when the handler is about to be called. */
  readonly onStart?: () => void;
  /** Notes in the store that it is about to run as a suspect. False: its claim is lost. Never rejects. */
  readonly onTrial?: (alone: boolean) => Promise<boolean>;
}

const MAX_LOG_LINE = 8_192;

/** One run of one task: its handler's context, and the one place that can abort it. */
export class Attempt {
  readonly definition: AnyTaskDefinition;
  readonly payload: EncodedPayload;
  readonly priority: number;
  readonly context: TaskContext;
  readonly company: Company;
  readonly trace: TraceContext | undefined;
  /** While it runs: what a batch links. */
  span: Span | undefined;
  /** Why it is to end, for whoever waits on its behalf. */
  readonly aborting = new LazyAbort();
  readonly #reporter: AttemptReporter;
  readonly #onStart: (() => void) | undefined;
  readonly #onTrial: AttemptInput['onTrial'];
  readonly #complete: AttemptInput['complete'];
  #committed: string | undefined;
  #startedAt: number | undefined;
  #ended = false;
  #failedTogether = false;
  #reports: Promise<void> = Promise.resolve();

  constructor(input: AttemptInput) {
    this.definition = input.definition;
    this.payload = input.payload;
    this.priority = input.priority;
    this.company = input.company;
    this.trace = input.trace;
    this.#reporter = input.reporter;
    this.#onStart = input.onStart;
    this.#onTrial = input.onTrial;
    this.#complete = input.complete;
    const { aborting } = this;
    this.context = {
      id: input.id,
      attempt: input.number,
      fence: input.fence,
      get signal() {
        return aborting.signal;
      },
      progress: (value) => this.#report(() => this.#reporter.progress(value)),
      log: (line) => this.#report(() => this.#reporter.log(storableText(line, MAX_LOG_LINE))),
      completeInTransaction: (result) => this.#completeInTransaction(result),
    };
  }

  /** JSON text of the result that a transaction of the handler has committed: the task has completed by that. */
  get committed(): string | undefined {
    return this.#committed;
  }

  /** Whether its handler has been called. */
  get started(): boolean {
    return this.#startedAt !== undefined;
  }

  /** Since its handler was called, milliseconds; `undefined`: it has not been. */
  get tookMs(): number | undefined {
    return this.#startedAt === undefined ? undefined : performance.now() - this.#startedAt;
  }

  /** The handler is about to be called. */
  start(): void {
    this.aborting.throwIfAborted();
    this.#startedAt = performance.now();
    this.#onStart?.();
  }

  /** A suspect's turn has come; aborts it where its claim is lost. @param alone nothing else runs in the process */
  async beginTrial(alone: boolean): Promise<void> {
    if ((await this.#onTrial?.(alone)) === false) this.abort(new TaskOwnershipLostError());
  }

  /** Whether it failed because a call with several did, so that nobody knows which of them was to blame. */
  get failedTogether(): boolean {
    return this.#failedTogether;
  }

  failTogether(): void {
    this.#failedTogether = true;
  }

  abort(reason: Error): void {
    this.aborting.abort(reason);
  }

  /** Aborts what has not reached its handler yet; the rest may finish. */
  drain(reason: Error): void {
    if (!this.started) this.abort(reason);
  }

  /** Progress and log lines of a handler that was left behind are dropped; those before are in the store. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#reports;
  }

  async #completeInTransaction(value: unknown): Promise<void> {
    this.aborting.throwIfAborted();
    const result = encodeResult(this.definition, value);
    await this.#complete(result, () => {
      this.#committed = result;
    });
  }

  /** One after the other: BullMQ's PostgreSQL backend loses a task's concurrent log lines. */
  #report(send: () => Promise<void>): Promise<void> {
    if (this.#ended || this.aborting.aborted) return Promise.resolve();
    this.#reports = this.#reports.then(send);
    return this.#reports;
  }
}
