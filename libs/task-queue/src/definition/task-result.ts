/** Longest time that `retryAfter` may ask for, milliseconds: a year. */
const MAX_RETRY_AFTER_MS = 31_536_000_000;

/** A handler's answer: not now. Made by `retryAfter`. */
export class RetryAfter {
  /** @internal */
  constructor(
    /** Whole milliseconds. */
    readonly delayMs: number,
  ) {}
}

/** A handler's answer: there is nothing to do any more. Made by `cancelTask`. */
export class TaskCancellation {
  /** @internal */
  constructor(readonly reason: string) {}
}

/**
 * Returned by a handler, or as the value of a batch item: the task is run again after this time, at no cost of an
 * attempt. For an upstream that says when to come back.
 *
 * @throws {RangeError} unless it is 0 to a year in milliseconds; fractions are rounded up
 */
export function retryAfter(ms: number): RetryAfter {
  if (ms >= 0 && ms <= MAX_RETRY_AFTER_MS) return new RetryAfter(Math.ceil(ms));
  throw new RangeError(`retryAfter takes 0 to ${MAX_RETRY_AFTER_MS} ms, got ${ms}`);
}

/** Returned by a handler, or as the value of a batch item: the task ends as cancelled, without a retry. */
export function cancelTask(reason: string): TaskCancellation {
  return new TaskCancellation(reason);
}
