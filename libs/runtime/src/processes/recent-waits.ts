import { type ClassWait } from '@peregrine/task-queue';
import { type ProcessFigures } from './process-figures.js';

/** Turns waits since the start into those of the last steps as well. */
export class RecentWaits {
  readonly #steps: number;
  /** The oldest first. */
  readonly #past: (readonly ClassWait[])[] = [];

  /** @param steps how many of the last looks count as recent */
  constructor(steps: number) {
    this.#steps = steps;
  }

  /** @param now as the task queue has counted them since the process started */
  look(now: readonly ClassWait[]): ProcessFigures['waits'] {
    const [before = []] = this.#past;
    this.#past.push(now);
    if (this.#past.length > this.#steps) this.#past.shift();
    return now.map(({ priority, promisedMs, buckets, missed }) => {
      const past = before.find((it) => it.priority === priority);
      return {
        priority,
        promisedMs,
        started: buckets.reduce((sum, it) => sum + it, 0),
        missed,
        recentBuckets: buckets.map((it, index) => it - (past?.buckets[index] ?? 0)),
        recentMissed: missed - (past?.missed ?? 0),
      };
    });
  }
}
