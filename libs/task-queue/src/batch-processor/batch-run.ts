import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BatchItemResult } from '../definition/task-executor.js';
import { BatchItemFailedError } from '../task-queue.errors.js';
import { callBatch, type BatchHandler } from './batch-call.js';
import { type ParsedBatchProcessorOptions } from './batch-processor.options.js';
import { BatchReader, type BatchSource } from './batch-reader.js';
import { BatchSize } from './batch-size.js';

/** A batch that has been read, in the order of the source. */
interface Batch<R> {
  readonly firstIndex: number;
  /** `undefined` while it runs. */
  results?: readonly BatchItemResult<R>[];
}

export interface BatchRunInput<T, R> {
  readonly options: ParsedBatchProcessorOptions;
  readonly source: BatchSource<T>;
  readonly handler: BatchHandler<T, R>;
  readonly signal: AbortSignal | undefined;
  /** Batches that may have been read and not yielded. */
  readonly window: number;
  /** Told when a batch has ended, before its results are yielded. */
  readonly onBatch: (results: readonly BatchItemResult<unknown>[], batchSize: number) => void;
}

/** One way of a source through a handler. */
export class BatchRun<T, R> {
  readonly #it: BatchRunInput<T, R>;
  readonly #reader: BatchReader<T>;
  readonly #size: BatchSize;
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  /** Read and not yielded, oldest first. */
  readonly #batches: Batch<R>[] = [];
  #nextIndex = 0;
  #running = 0;
  #isReading = false;
  #failure: { readonly error: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(input: BatchRunInput<T, R>) {
    this.#it = input;
    this.#reader = new BatchReader(input.source, input.options.maxWaitMs);
    this.#size = new BatchSize(input.options);
    this.#signal = AbortSignal.any([this.#over.signal, ...(input.signal ? [input.signal] : [])]);
  }

  /** The results of one batch after the other, in the order of the source. */
  async *batches(): AsyncGenerator<readonly BatchItemResult<R>[], void, undefined> {
    const onAbort = () => this.#fail(this.#it.signal?.reason);
    this.#it.signal?.throwIfAborted();
    this.#it.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        if (this.#failure) throw this.#failure.error;
        if (this.#batches[0]?.results) yield this.#batches.shift()?.results ?? [];
        else if (this.#mayRead()) this.#readNext();
        else if (this.#isOver()) return;
        else await this.#change();
      }
    } finally {
      this.#it.signal?.removeEventListener('abort', onAbort);
      this.#over.abort(new Error('the batches are no longer wanted'));
      this.#reader.close();
    }
  }

  #mayRead(): boolean {
    if (this.#isReading || this.#reader.isExhausted) return false;
    return this.#running < this.#it.options.concurrency && this.#batches.length < this.#it.window;
  }

  #isOver(): boolean {
    return this.#reader.isExhausted && !this.#isReading && this.#batches.length === 0;
  }

  #readNext(): void {
    const asked = this.#size.current;
    this.#isReading = true;
    this.#reader
      .read(asked)
      .then(
        (items) => {
          if (items.length > 0) this.#begin(items, asked);
        },
        (error: unknown) => this.#fail(error),
      )
      .finally(() => {
        this.#isReading = false;
        this.#wake();
      });
  }

  #begin(items: readonly T[], asked: number): void {
    const batch: Batch<R> = { firstIndex: this.#nextIndex };
    this.#nextIndex += items.length;
    this.#batches.push(batch);
    this.#running++;
    this.#call(batch, items, asked)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running--;
        this.#wake();
      });
  }

  async #call(batch: Batch<R>, items: readonly T[], asked: number): Promise<void> {
    const { handler, options, onBatch } = this.#it;
    const ctx = { signal: this.#signal, firstIndex: batch.firstIndex };
    // A handler that never waits would leave no turn to anybody else, an abort included.
    await nextTurn();
    const startedAt = performance.now();
    const { results, threw } = await callBatch({ items, ctx, handler, bisect: options.bisect });
    if (this.#failure) return;
    if (!threw) this.#size.observe(items.length, asked, performance.now() - startedAt);
    if (options.failFast) assertNoFailure(results, batch.firstIndex);
    onBatch(results, items.length);
    batch.results = results;
  }

  /** The first failure is the one that is told. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#over.abort(error);
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
  }

  async #change(): Promise<void> {
    await this.#changed.promise;
    this.#changed = Promise.withResolvers();
  }
}

function assertNoFailure(results: readonly BatchItemResult[], firstIndex: number): void {
  results.forEach((it, index) => {
    if (!it.ok) throw new BatchItemFailedError(firstIndex + index, it.error);
  });
}
