import { type DeadLetterFigures, type QueueFigures } from '@peregrine/console';
import { type TaskQueue } from '@peregrine/task-queue';
import { LastKnown } from './last-known.js';

/** The dead letters are read through; every ten seconds is often enough. */
const DEAD_LETTERS = { maxAgeMs: 10_000, waitMs: 1_000 };
const TOTALS = { maxAgeMs: 1_500, waitMs: 1_000 };
const MOST_GROUPS = 20;

/** The task queue, as far as its store answers. */
export class QueueReader {
  readonly #queue: TaskQueue;
  readonly #totals: LastKnown<Awaited<ReturnType<TaskQueue['totals']>> | undefined>;
  readonly #deadLetters: LastKnown<DeadLetterFigures[]>;

  constructor(queue: TaskQueue) {
    this.#queue = queue;
    this.#totals = new LastKnown(() => queue.totals(), undefined, TOTALS);
    this.#deadLetters = new LastKnown(() => this.#readDeadLetters(), [], DEAD_LETTERS);
  }

  /** Without the waits of the classes, which the processes tell. */
  async read(): Promise<Omit<QueueFigures, 'classes'>> {
    const [{ value: totals, problem }, letters] = await Promise.all([
      this.#totals.get(),
      this.#deadLetters.get(),
    ]);
    return {
      pending: totals?.pending ?? null,
      running: totals?.running ?? null,
      deadLettered: totals?.deadLettered ?? null,
      submitted: totals?.submitted ?? 0,
      completed: totals?.completed ?? 0,
      failed: totals?.failed ?? 0,
      retries: totals?.retries ?? 0,
      batches: totals?.batchesProcessed ?? 0,
      successRate: totals?.successRate ?? 1,
      deadLetters: letters.value,
      problem: problem ?? letters.problem,
    };
  }

  /** After an operator changed something. */
  expire(): void {
    this.#totals.expire();
    this.#deadLetters.expire();
  }

  async #readDeadLetters(): Promise<DeadLetterFigures[]> {
    const groups = await this.#queue.deadLetters.groups({});
    return groups.slice(0, MOST_GROUPS).map(({ firstFailedAt, lastFailedAt, ids: _ids, ...group }) => ({
      ...group,
      firstFailedAt: new Date(firstFailedAt).toISOString(),
      lastFailedAt: new Date(lastFailedAt).toISOString(),
    }));
  }
}
