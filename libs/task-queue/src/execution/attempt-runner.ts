import { systemClock, type TaskClock } from '../clock.js';
import { decodePayload, encodeResult } from '../definition/task-payload.js';
import { RetryAfter, TaskCancellation } from '../definition/task-result.js';
import { type TaskExecutor } from '../definition/task-executor.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { TaskCancelledError, TaskTimeoutError } from '../task-queue.errors.js';
import { type TaskStatistics } from '../statistics/task-statistics.js';
import { attemptSpan } from '../tracing/task-spans.js';
import { Admission } from './admission.js';
import { type Attempt } from './attempt.js';
import { BatchCollector } from './batch-collector.js';
import { type HandlerRegistry, type RegisteredHandler } from './handler-registry.js';
import { settleOrAbort } from './settle-or-abort.js';
import { type Slots } from './slots.js';

/** How an attempt ended that did not fail. */
export type AttemptOutcome =
  | { readonly kind: 'completed'; /** JSON text. */ readonly result: string }
  /** By a transaction of the handler, whatever came after it. */
  | { readonly kind: 'committed'; readonly result: string; readonly error?: unknown }
  | { readonly kind: 'retry-after'; readonly delayMs: number }
  | { readonly kind: 'cancelled'; readonly reason: string };

/** Runs attempts the same way for the worker and for the inline mode. */
export class AttemptRunner {
  readonly #collectors = new Map<string, BatchCollector>();
  readonly #admission: Admission;

  constructor(
    private readonly handlers: HandlerRegistry,
    slots: Slots,
    private readonly statistics: TaskStatistics,
    private readonly clock: TaskClock = systemClock,
  ) {
    this.#admission = new Admission(slots);
  }

  /**
   * @throws {InvalidPayloadError} the payload no longer fits the schema
   * @throws {TaskTooNewError}
   * @throws {TaskHandlerMissingError}
   * @throws the handler's error, or the reason of the abort
   */
  run(attempt: Attempt): Promise<AttemptOutcome> {
    return attemptSpan(attempt, () => this.#runToItsEnd(attempt));
  }

  /** Batches wait no longer for more. */
  flush(): void {
    for (const collector of this.#collectors.values()) collector.flush();
  }

  async #runToItsEnd(attempt: Attempt): Promise<AttemptOutcome> {
    try {
      const outcome = await this.#run(attempt);
      return commitOf(attempt) ?? cancellationOf(attempt) ?? outcome;
    } catch (error) {
      const known = commitOf(attempt, error) ?? cancellationOf(attempt);
      if (known) return known;
      throw error;
    } finally {
      await attempt.end();
    }
  }

  async #run(attempt: Attempt): Promise<AttemptOutcome> {
    const handler = this.handlers.handlerOf(attempt.definition);
    const value = handler.batch
      ? await this.#collector(attempt, handler).add(attempt)
      : await this.#runSingle(attempt, handler.executor);
    if (value instanceof RetryAfter) return { kind: 'retry-after', delayMs: value.delayMs };
    if (value instanceof TaskCancellation) return { kind: 'cancelled', reason: value.reason };
    return { kind: 'completed', result: encodeResult(attempt.definition, value) };
  }

  async #runSingle(attempt: Attempt, executor: TaskExecutor<AnyTaskDefinition>): Promise<unknown> {
    const release = await this.#admission.admit([attempt], attempt.aborting);
    try {
      attempt.aborting.throwIfAborted();
      // In its turn: the functions of the schema may end the process as well.
      const payload = await decodePayload(attempt.definition, attempt.payload);
      return await this.#call(attempt, executor, payload);
    } finally {
      release();
    }
  }

  async #call(
    attempt: Attempt,
    executor: TaskExecutor<AnyTaskDefinition>,
    payload: unknown,
  ): Promise<unknown> {
    const { name, timeoutMs } = attempt.definition;
    const timer = this.clock.setTimeout(
      () => attempt.abort(new TaskTimeoutError(name, timeoutMs)),
      timeoutMs,
    );
    const startedAt = performance.now();
    try {
      attempt.start();
      return await settleOrAbort(attempt, this.#admission.watch(call(executor, attempt, payload)));
    } finally {
      this.clock.clearTimeout(timer);
      this.statistics.of(name).durationMs += performance.now() - startedAt;
    }
  }

  /** One for every company of a task: there are few, as its groups become smaller in large steps. */
  #collector(
    { definition, company }: Attempt,
    { batch, executor }: Extract<RegisteredHandler, { batch: object }>,
  ): BatchCollector {
    const key = `${definition.name}/${company.turn}/${company.size}`;
    let collector = this.#collectors.get(key);
    if (!collector) {
      const counters = this.statistics.of(definition.name);
      const group = { size: company.size, maxWaitMs: batch.maxWaitMs };
      collector = new BatchCollector(definition, group, executor, this.#admission, counters, this.clock);
      this.#collectors.set(key, collector);
    }
    return collector;
  }
}

/** A handler that throws before its first await rejects as well. */
async function call(
  executor: TaskExecutor<AnyTaskDefinition>,
  attempt: Attempt,
  payload: unknown,
): Promise<unknown> {
  return executor.execute(payload, attempt.context);
}

/** What is committed cannot be taken back. */
function commitOf({ committed }: Attempt, error?: unknown): AttemptOutcome | undefined {
  if (committed === undefined) return undefined;
  return { kind: 'committed', result: committed, ...(error !== undefined && { error }) };
}

/** A caller's cancellation decides, whatever the handler made of it. */
function cancellationOf({ aborting: { reason } }: Attempt): AttemptOutcome | undefined {
  return reason instanceof TaskCancelledError ? { kind: 'cancelled', reason: reason.reason } : undefined;
}
