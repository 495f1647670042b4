import { type ClassFigures, type DeadLetterFigures, type QueueFigures } from '@peregrine/console';
import { TASK_PRIORITIES, type TaskQueue } from '@peregrine/task-queue';
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

  async read(): Promise<QueueFigures> {
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
      classes: this.#classes(),
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

  #classes(): ClassFigures[] {
    const families = this.#queue.collect();
    const value = (name: string, priority: string, suffix?: string) =>
      families
        .find((it) => it.name === name)
        ?.samples.find((it) => it.labels?.['priority'] === priority && it.suffix === suffix)?.value ?? 0;
    return TASK_PRIORITIES.map((priority) => {
      const started = value('task_wait_seconds', priority, '_count');
      const seconds = value('task_wait_seconds', priority, '_sum');
      const missed = value('task_promised_wait_missed_total', priority);
      return { priority, started, missed, meanWaitMs: started === 0 ? 0 : (1_000 * seconds) / started };
    });
  }
}
