import { withQueryPriority } from './query-priority.js';

/** Work that is done again and again. */
export interface RepeatedWork {
  /** No further round comes; ends when the one that is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Does what nobody waits for again and again: at low priority, one round at a time, and without keeping the process
 * alive. Rounds that would begin while a long one is under way do not come.
 *
 * @param onError is told of a round that failed; the next one comes all the same
 */
export function repeatAtLowPriority(
  intervalMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): RepeatedWork {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= withQueryPriority('low', work)
      .catch(onError)
      .finally(() => (running = undefined));
  }, intervalMs).unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
