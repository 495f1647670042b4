import { TASK_PRIORITIES, type TaskPriority } from '../definition/task-priority.js';

/** Upper bounds of the buckets of waits, seconds. */
export const WAIT_BUCKETS_S = [
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800,
] as const;

/** How long the tasks of one class waited for their handlers. */
export interface ClassWaits {
  /** Not cumulative: tasks by bucket, the last for all that waited longer. */
  readonly buckets: readonly number[];
  readonly sumMs: number;
  /** Tasks that waited longer than their class promises. */
  readonly missed: number;
}

/** The waits of a class by its name, with what it promises. */
export interface ClassWait extends ClassWaits {
  readonly priority: TaskPriority;
  readonly promisedMs: number;
}

interface MutableWaits extends ClassWaits {
  readonly buckets: number[];
  sumMs: number;
  missed: number;
}

/**
 * From the moment a task may start to the first call of its handler, in this process. Retries are not counted: what
 * they wait is mostly their backoff.
 */
export class WaitTimes {
  readonly #byClass = new Map<TaskPriority, MutableWaits>(
    TASK_PRIORITIES.map((it) => [
      it,
      { buckets: Array<number>(WAIT_BUCKETS_S.length + 1).fill(0), sumMs: 0, missed: 0 },
    ]),
  );

  /** @param waitedMs below 0 where clocks differ, which counts as 0 */
  observe(priority: TaskPriority, waitedMs: number, promisedMs: number): void {
    const waits = this.#byClass.get(priority) as MutableWaits;
    const seconds = Math.max(waitedMs, 0) / 1_000;
    let bucket = 0;
    while (bucket < WAIT_BUCKETS_S.length && seconds > (WAIT_BUCKETS_S[bucket] as number)) bucket++;
    waits.buckets[bucket] = (waits.buckets[bucket] ?? 0) + 1;
    waits.sumMs += seconds * 1_000;
    if (waitedMs > promisedMs) waits.missed++;
  }

  entries(): readonly (readonly [priority: TaskPriority, waits: ClassWaits])[] {
    return [...this.#byClass];
  }
}
