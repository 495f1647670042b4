import { type DrainOptions, type DrainProgress, type TaskQueue } from '@peregrine/task-queue';
import { type DrainScreen } from './drain-screen.js';

export interface DrainTasksOptions {
  readonly screen: Pick<DrainScreen, 'show' | 'end'>;
  /** @default no limit */
  readonly timeoutMs: number | undefined;
  /** @default that of the library */
  readonly delayedWithinMs: number | undefined;
  /** A person's wish to end. */
  readonly signal: AbortSignal;
}

/** @returns the exit code: 0 when nothing is left, 1 when a task failed for good or something is left */
export async function drainTasks(
  queue: Pick<TaskQueue, 'drain'>,
  { screen, timeoutMs, delayedWithinMs, signal }: DrainTasksOptions,
): Promise<number> {
  const hopeless = new AbortController();
  const ends = [
    signal,
    hopeless.signal,
    ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)]),
  ];
  let last: DrainProgress | undefined;
  const options: DrainOptions = {
    ...(delayedWithinMs !== undefined && { delayedWithinMs }),
    signal: AbortSignal.any(ends),
    onProgress: (progress) => {
      last = progress;
      screen.show(progress);
      // What runs comes to its end; nothing else would ever begin.
      if (progress.isPaused && progress.running === 0 && progress.waiting > 0) hopeless.abort();
    },
  };
  const isDrained = await queue.drain(options).then(
    () => true,
    (error: unknown) => {
      if (ends.some((it) => it.aborted)) return false;
      throw error;
    },
  );
  const reason = isDrained
    ? undefined
    : hopeless.signal.aborted
      ? 'the queue is paused'
      : signal.aborted
        ? 'interrupted'
        : 'the time is up';
  screen.end(last, reason);
  return isDrained && last?.failed === 0 ? 0 : 1;
}
