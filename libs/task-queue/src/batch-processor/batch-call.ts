import { type BatchItemResult } from '../definition/task-executor.js';
import { toError } from '../execution/storable-text.js';
import { InvalidBatchResultError } from '../task-queue.errors.js';

/** What a handler of batches knows about its call. */
export interface BatchCallContext {
  /** Aborts when the whole is aborted, or has failed; the answer is dropped then. */
  readonly signal: AbortSignal;
  /** Place of the batch's first item in the source, from 0. */
  readonly firstIndex: number;
}

/** Answers one result an item, in the order of the items; an `Error` in its place is a failure of that item. */
export type BatchHandler<T, R> = (
  items: readonly T[],
  ctx: BatchCallContext,
) => Promise<readonly (R | Error)[]> | readonly (R | Error)[];

export interface BatchCall<T, R> {
  readonly items: readonly T[];
  readonly ctx: BatchCallContext;
  readonly handler: BatchHandler<T, R>;
  readonly bisect: boolean;
}

/** Calls for each level of halves, of one batch: enough for eight bad items and more; a store that is down is left alone. */
const CALLS_A_LEVEL = 16;

export interface BatchAnswer<R> {
  readonly results: readonly BatchItemResult<R>[];
  /** Whether the handler threw, so that the time it took tells nothing. */
  readonly threw: boolean;
}

interface Budget {
  callsLeft: number;
  threw: boolean;
}

/**
 * The results of a batch, failures included.
 *
 * @throws {InvalidBatchResultError} the handler does not keep to its contract
 * @throws the signal's reason
 */
export async function callBatch<T, R>(call: BatchCall<T, R>): Promise<BatchAnswer<R>> {
  const levels = Math.ceil(Math.log2(call.items.length)) + 1;
  const budget = { callsLeft: levels * CALLS_A_LEVEL, threw: false };
  const results = await callPart(call, call.items, call.ctx.firstIndex, budget);
  return { results, threw: budget.threw };
}

async function callPart<T, R>(
  call: BatchCall<T, R>,
  items: readonly T[],
  firstIndex: number,
  budget: Budget,
): Promise<BatchItemResult<R>[]> {
  const { handler, ctx, bisect } = call;
  ctx.signal.throwIfAborted();
  budget.callsLeft--;
  let results: readonly (R | Error)[];
  try {
    results = await handler(items, { ...ctx, firstIndex });
  } catch (thrown) {
    ctx.signal.throwIfAborted();
    budget.threw = true;
    const error = toError(thrown);
    if (!bisect || items.length === 1 || budget.callsLeft < 2) return items.map(() => ({ ok: false, error }));
    const middle = items.length >> 1;
    const left = await callPart(call, items.slice(0, middle), firstIndex, budget);
    return [...left, ...(await callPart(call, items.slice(middle), firstIndex + middle, budget))];
  }
  assertOneEach(results, items.length);
  return results.map(toItemResult);
}

function assertOneEach(results: unknown, expected: number): void {
  if (Array.isArray(results) && results.length === expected) return;
  const given = Array.isArray(results) ? `${results.length} results` : 'no list of results';
  throw new InvalidBatchResultError('a batch processor', `answered ${given} for ${expected} items`);
}

function toItemResult<R>(result: R | Error): BatchItemResult<R> {
  return result instanceof Error ? { ok: false, error: result } : { ok: true, value: result };
}
