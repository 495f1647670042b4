import { type Attempt } from './attempt.js';

/** How long an aborted handler has to come back by itself, milliseconds. */
const ABORT_GRACE_MS = 500;

/**
 * The outcome of `work`, or the reason of the abort when the handler does not come back within the grace.
 * A handler that fails after the abort fails with the reason, not with the noise that the abort made.
 */
export function settleOrAbort<T>(attempt: Attempt, work: Promise<T>): Promise<T> {
  const { aborting } = attempt;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let grace: NodeJS.Timeout | undefined;
  const onAbort = () => {
    const leaveBehind = () => reject(aborting.reason);
    grace = setTimeout(leaveBehind, attempt.started ? ABORT_GRACE_MS : 0);
  };
  const settled = () => {
    clearTimeout(grace);
    aborting.removeEventListener('abort', onAbort);
  };
  work.then(
    (value) => {
      settled();
      resolve(value);
    },
    (error: unknown) => {
      settled();
      reject(aborting.reason ?? error);
    },
  );
  if (aborting.aborted) onAbort();
  else aborting.addEventListener('abort', onAbort);
  return promise;
}
