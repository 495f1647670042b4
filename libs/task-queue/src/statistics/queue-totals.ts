import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type QueueTotalCounts, TOTALS } from '../backend/task-operations.js';
import { TaskStore } from '../queue/task-store.js';
import { Repeater } from '../repeater.js';
import { ThrottledLog } from '../throttled-log.js';
import { TaskStatistics } from './task-statistics.js';

const INTERVAL_MS = 2_000;

/**
 * What all processes have counted since the queue exists, kept in the store. Each adds what it has counted itself, one
 * small write every two seconds while something happens. What a process counts in its last moments before a kill, or
 * adds while the store is away, is lost rather than counted twice.
 */
@Injectable()
export class QueueTotals implements OnApplicationBootstrap {
  readonly #log = new ThrottledLog(new Logger('TaskQueue'));
  readonly #repeater = new Repeater(
    INTERVAL_MS,
    () => this.#tell(),
    (error) => this.#log.warn('What was counted could not be added to the totals', error),
  );
  #told = countsOf(() => 0);

  constructor(
    private readonly store: TaskStore,
    private readonly statistics: TaskStatistics,
  ) {
    store.lastWords = async () => {
      await this.#repeater.stop();
      await this.#tell();
    };
  }

  onApplicationBootstrap(): void {
    this.#repeater.start();
  }

  /** What this process has counted included. @throws {QueueUnavailableError} */
  async now(): Promise<QueueTotalCounts> {
    return this.store.addTotals(this.#news());
  }

  async #tell(): Promise<void> {
    const news = this.#news();
    if (TOTALS.some((it) => news[it] > 0)) await this.store.addTotals(news);
  }

  /** Since this was called last. */
  #news(): QueueTotalCounts {
    const total = this.statistics.total();
    const news = countsOf((it) => total[it] - this.#told[it]);
    this.#told = countsOf((it) => total[it]);
    return news;
  }
}

function countsOf(of: (name: (typeof TOTALS)[number]) => number): QueueTotalCounts {
  return Object.fromEntries(TOTALS.map((it) => [it, of(it)])) as unknown as QueueTotalCounts;
}
