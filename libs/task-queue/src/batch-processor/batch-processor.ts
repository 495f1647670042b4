import { type BatchItemResult } from '../definition/task-executor.js';
import { type BatchHandler } from './batch-call.js';
import { type BatchProcessorOptions, parseBatchProcessorOptions } from './batch-processor.options.js';
import { type BatchSource } from './batch-reader.js';
import { BatchRun, type BatchRunInput } from './batch-run.js';

/** How far a list has come. */
export interface BatchProgress {
  /** Items that have ended, well or not. */
  readonly done: number;
  /** Of them, those that failed. */
  readonly failed: number;
  /** `null` when the source does not tell. */
  readonly total: number | null;
  /** Items of the batch that has just ended. */
  readonly batchSize: number;
  /** Since the begin. */
  readonly itemsPerSecond: number;
  /** Until the end at this speed, milliseconds; `null` without a total. */
  readonly etaMs: number | null;
}

/** One list on its way. The options go before those of the processor. */
export interface BatchProcess extends BatchProcessorOptions {
  /** Rejects with its reason at once; handlers see it as `ctx.signal`. */
  readonly signal?: AbortSignal;
  /** Told after every batch. What it throws ends the process. */
  readonly onProgress?: (progress: BatchProgress) => void;
  /** Items of a source that does not tell how many it has. */
  readonly total?: number;
}

/**
 * Takes lists through a handler in batches that adapt their size to a target duration, a few at a time. Results come
 * in the order of the items. For work in this process that a crash may lose; else submit tasks.
 *
 *     const results = await new BatchProcessor().process(rows, (batch) => embed(batch));
 */
export class BatchProcessor {
  /** @throws {InvalidBatchProcessorOptionsError} */
  constructor(private readonly options: BatchProcessorOptions = {}) {
    parseBatchProcessorOptions(options);
  }

  /**
   * All results. An asynchronous source is read no faster than batches can begin.
   *
   * @throws {InvalidBatchProcessorOptionsError}
   * @throws {InvalidBatchResultError} the handler did not answer one result an item
   * @throws {BatchItemFailedError} under `failFast`
   * @throws what the source throws, or the signal's reason
   */
  async process<T, R>(
    source: BatchSource<T>,
    handler: BatchHandler<T, R>,
    process: BatchProcess = {},
  ): Promise<BatchItemResult<R>[]> {
    const results: BatchItemResult<R>[] = [];
    for await (const batch of this.#run(source, handler, process, Infinity).batches()) {
      for (const it of batch) results.push(it);
    }
    return results;
  }

  /**
   * The results one by one, as soon as their turn has come. While nobody asks for one, no further batch begins: never
   * more than `concurrency` are read and not taken. Leaving the loop early ends everything.
   *
   * @throws as `process`
   */
  async *stream<T, R>(
    source: BatchSource<T>,
    handler: BatchHandler<T, R>,
    process: BatchProcess = {},
  ): AsyncGenerator<BatchItemResult<R>, void, undefined> {
    const { concurrency } = parseBatchProcessorOptions(this.#optionsOf(process));
    for await (const batch of this.#run(source, handler, process, concurrency).batches()) yield* batch;
  }

  #run<T, R>(
    source: BatchSource<T>,
    handler: BatchHandler<T, R>,
    process: BatchProcess,
    window: number,
  ): BatchRun<T, R> {
    const options = parseBatchProcessorOptions(this.#optionsOf(process));
    const onBatch = progressOf(process, process.total ?? sizeOf(source));
    return new BatchRun({ options, source, handler, signal: process.signal, window, onBatch });
  }

  #optionsOf({ signal: _signal, onProgress: _onProgress, total: _total, ...options }: BatchProcess) {
    return { ...this.options, ...options };
  }
}

function progressOf(
  { onProgress }: BatchProcess,
  total: number | null,
): BatchRunInput<unknown, unknown>['onBatch'] {
  const startedAt = performance.now();
  let done = 0;
  let failed = 0;
  return (results, batchSize) => {
    done += results.length;
    for (const it of results) if (!it.ok) failed++;
    const elapsedMs = Math.max(performance.now() - startedAt, Number.EPSILON);
    const etaMs = total === null ? null : (Math.max(total - done, 0) * elapsedMs) / done;
    onProgress?.({ done, failed, total, batchSize, itemsPerSecond: (done * 1_000) / elapsedMs, etaMs });
  };
}

function sizeOf(source: BatchSource<unknown>): number | null {
  if (Array.isArray(source)) return source.length;
  return source instanceof Set || source instanceof Map ? source.size : null;
}
