import { type AnyTaskDefinition, type TaskPayload } from './task-definition.js';

/** A percentage, or any JSON object. */
export type TaskProgress = number | Record<string, unknown>;

/** What a handler knows about the attempt that it runs. */
export interface TaskContext {
  readonly id: string;
  /** From 1. An attempt that a dying worker never ended is not counted. */
  readonly attempt: number;
  /**
   * Rises with every claim of the task, also after a worker died or was slow. A store that remembers the highest
   * one it has seen of a task can refuse a writer that was thought dead and comes late.
   */
  readonly fence: number;
  /**
   * Aborts when the attempt's time is up, when the task is cancelled, when the worker stops, or when another worker
   * may own the task by now. A handler that ignores it is left behind: its result is dropped.
   */
  readonly signal: AbortSignal;
  /** Shown by `TaskQueue.status`. Best effort: a store that does not answer is logged, the handler goes on. */
  progress(value: TaskProgress): Promise<void>;
  /** Adds a line to the task's log, of which the last 100 are kept. Best effort, in order. */
  log(line: string): Promise<void>;
  /**
   * Completes the task in the open transaction of the option `transactions`, so that what the handler writes in it and
   * the end of its task are committed together, or neither. What the handler returns or throws after the commit changes
   * nothing any more. Call it last: until the commit the worker cannot renew its claims.
   *
   * On PostgreSQL, with the tasks in the same database, and inline.
   *
   * @param result as the handler would return it
   * @throws {TaskOwnershipLostError} another worker may run the task; the transaction can only be rolled back
   * @throws {TransactionalCompletionError} elsewhere, or outside a transaction; nothing has failed in it
   * @throws the reason of `signal`
   */
  completeInTransaction(result?: unknown): Promise<void>;
}

/**
 * Handles one task at a time. What it returns must be JSON and is kept as the task's result; `retryAfter(ms)` and
 * `cancelTask(reason)` are results too. What it throws is tried again, but for a `PermanentTaskError`.
 */
export interface TaskExecutor<D extends AnyTaskDefinition, R = unknown> {
  execute(payload: TaskPayload<D>, ctx: TaskContext): Promise<R>;
}

/** One task of a batch. */
export interface BatchItem<D extends AnyTaskDefinition> {
  readonly payload: TaskPayload<D>;
  readonly ctx: TaskContext;
}

/** How one task of a batch ended. A `PermanentTaskError` as `error` fails it for good, any other is retried. */
export type BatchItemResult<R = unknown> =
  { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: Error };

/**
 * Handles up to `batch.size` tasks in one call and answers one result an item, in the order of the items. What it
 * throws fails all of them.
 */
export interface BatchTaskExecutor<D extends AnyTaskDefinition, R = unknown> {
  executeBatch(items: readonly BatchItem<D>[]): Promise<readonly BatchItemResult<R>[]>;
}

export type AnyTaskExecutor = TaskExecutor<AnyTaskDefinition> | BatchTaskExecutor<AnyTaskDefinition>;
