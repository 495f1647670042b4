import { type ClockTimer, systemClock, type TaskClock } from '../clock.js';
import { type AnyTaskDefinition, type TaskBatch } from '../definition/task-definition.js';
import { type BatchItem, type BatchItemResult, type BatchTaskExecutor } from '../definition/task-executor.js';
import { decodePayload } from '../definition/task-payload.js';
import { InvalidBatchResultError, TaskTimeoutError } from '../task-queue.errors.js';
import { type TaskCounters } from '../statistics/task-statistics.js';
import { batchSpan } from '../tracing/task-spans.js';
import { type Admission } from './admission.js';
import { type Attempt } from './attempt.js';
import { isPermanent } from './permanent-error.js';
import { settleOrAbort } from './settle-or-abort.js';
import { toError } from './storable-text.js';

interface PendingItem {
  readonly attempt: Attempt;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface ReadyItem extends PendingItem {
  readonly item: BatchItem<AnyTaskDefinition>;
}

/**
 * Gathers attempts of one task in the same company, each of them claimed and locked by itself, into calls of its batch
 * handler. Every attempt ends by itself, so one that fails takes no other with it. A call that fails as a whole fails
 * all its attempts and says so, which makes their next company smaller.
 */
export class BatchCollector {
  #pending: PendingItem[] = [];
  #timer: ClockTimer | undefined;

  constructor(
    private readonly definition: AnyTaskDefinition,
    private readonly batch: TaskBatch,
    private readonly executor: BatchTaskExecutor<AnyTaskDefinition>,
    private readonly admission: Admission,
    private readonly counters: TaskCounters,
    private readonly clock: TaskClock = systemClock,
  ) {}

  /** The item's value. @throws what the handler reported for it, or the reason of its abort */
  async add(attempt: Attempt): Promise<unknown> {
    attempt.aborting.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.push({ attempt, resolve, reject });
    if (this.#pending.length >= this.batch.size) this.flush();
    else this.#timer ??= this.clock.setTimeout(() => this.flush(), this.batch.maxWaitMs);
    return settleOrAbort(attempt, promise);
  }

  /** Calls the handler with what there is. */
  flush(): void {
    this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const items = this.#pending;
    this.#pending = [];
    if (items.length === 0) return;
    this.#call(items).catch((error: unknown) => items.forEach((it) => it.reject(error)));
  }

  async #call(items: readonly PendingItem[]): Promise<void> {
    const release = await this.admission.admit(items.map((it) => it.attempt));
    try {
      const ready = await Promise.all(items.map((it) => this.#decoded(it)));
      const live = ready.filter((it) => it !== undefined).filter((it) => !it.attempt.aborting.aborted);
      if (live.length > 0) await this.#run(live);
    } finally {
      release();
    }
  }

  /** `undefined`: it was aborted, or its payload no longer fits; only this item fails. */
  async #decoded(it: PendingItem): Promise<ReadyItem | undefined> {
    try {
      it.attempt.aborting.throwIfAborted();
      const payload = await decodePayload(this.definition, it.attempt.payload);
      return { ...it, item: { payload, ctx: it.attempt.context } };
    } catch (error) {
      it.reject(error);
      return undefined;
    }
  }

  /** Ends when every item has: a handler that ignores the abort does not keep the slot. */
  async #run(items: readonly ReadyItem[]): Promise<void> {
    for (const it of items) it.attempt.start();
    const timer = this.clock.setTimeout(() => this.#timeOut(items), this.definition.timeoutMs);
    const startedAt = performance.now();
    try {
      const results = this.admission.watch(
        batchSpan(
          items.map((it) => it.attempt),
          () => this.#execute(items),
        ),
      );
      const ends = items.map((it, index) =>
        settleOrAbort(
          it.attempt,
          results.then((all) => all[index]),
        ),
      );
      const outcomes = await Promise.allSettled(ends);
      outcomes.forEach((outcome, index) => settle(this.definition, items[index], outcome));
    } finally {
      this.clock.clearTimeout(timer);
      this.counters.batches++;
      this.counters.durationMs += performance.now() - startedAt;
    }
  }

  #timeOut(items: readonly PendingItem[]): void {
    const reason = new TaskTimeoutError(this.definition.name, this.definition.timeoutMs);
    failTogether(items);
    for (const it of items) it.attempt.abort(reason);
  }

  /** @throws what fails the call as a whole */
  async #execute(items: readonly ReadyItem[]): Promise<readonly unknown[]> {
    try {
      return await this.#results(items);
    } catch (error) {
      failTogether(items);
      throw items.length > 1 ? notPermanent(error) : error;
    }
  }

  async #results(items: readonly ReadyItem[]): Promise<readonly unknown[]> {
    const results: unknown = await this.executor.executeBatch(items.map((it) => it.item));
    if (Array.isArray(results) && results.length === items.length) return results as unknown[];
    const given = Array.isArray(results) ? `${results.length} results` : 'no list of results';
    throw new InvalidBatchResultError(this.definition.name, `answered ${given} for ${items.length} items`);
  }
}

/** Nobody knows which of several was to blame. */
function failTogether(items: readonly PendingItem[]): void {
  if (items.length > 1) for (const it of items) it.attempt.failTogether();
}

/** What no further attempt would change for one of several may be different for the others. */
function notPermanent(error: unknown): unknown {
  return isPermanent(error) ? new Error(toError(error).message, { cause: error }) : error;
}

function settle(
  definition: AnyTaskDefinition,
  item: PendingItem | undefined,
  outcome: PromiseSettledResult<unknown>,
): void {
  if (outcome.status === 'rejected') item?.reject(outcome.reason);
  else if (!isItemResult(outcome.value)) {
    item?.reject(
      new InvalidBatchResultError(definition.name, 'answered something that is no result for an item'),
    );
  } else if (outcome.value.ok) item?.resolve(outcome.value.value);
  else item?.reject(toError(outcome.value.error));
}

function isItemResult(value: unknown): value is BatchItemResult {
  return typeof value === 'object' && value !== null && 'ok' in value && typeof value.ok === 'boolean';
}
