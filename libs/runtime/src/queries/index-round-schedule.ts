import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { QueueUnavailableError, TaskQueue } from '@peregrine/task-queue';
import { type Settings } from '../settings.js';
import { runIndexRound } from './index-round.task.js';
import { INDEX_ADVISOR_SETTINGS } from './index-round.tokens.js';

const NAME = 'index-advisor';
const RETRY_MS = 5_000;

/** Has the workers run rounds by the settings; all of them put the same schedule, which runs each tick once. */
@Injectable()
export class IndexRoundSchedule implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('IndexAdvisor');
  #retry: NodeJS.Timeout | undefined;
  #isStopped = false;
  #putting: Promise<void> = Promise.resolve();

  constructor(
    private readonly tasks: TaskQueue,
    @Inject(INDEX_ADVISOR_SETTINGS) private readonly settings: Settings['indexAdvisor'],
  ) {}

  /** @throws {InvalidScheduleError} INDEX_ADVISOR_SCHEDULE never fires */
  async onApplicationBootstrap(): Promise<void> {
    // Nothing to be wrong with, and nothing to wait for.
    if (this.settings.mode === 'off') this.#putting = this.#putAgain();
    else await this.#put();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    await this.#putting;
  }

  /** While the queue is away there is nothing to schedule with; the worker starts all the same. */
  async #put(): Promise<void> {
    const { mode, schedule: cron, timeZone } = this.settings;
    try {
      if (mode === 'off') await this.tasks.unschedule(NAME);
      else await this.tasks.schedule(NAME, runIndexRound, {}, { cron, timeZone, missed: 'skip' });
    } catch (error) {
      if (!(error instanceof QueueUnavailableError)) throw error;
      if (this.#isStopped) return;
      this.#log.warn(`Rounds wait for the task queue: ${error.message}`);
      this.#retry = setTimeout(() => {
        this.#putting = this.#putAgain();
      }, RETRY_MS).unref();
    }
  }

  async #putAgain(): Promise<void> {
    try {
      await this.#put();
    } catch (error) {
      this.#log.error(`Rounds could not be scheduled: ${String(error)}`);
    }
  }
}
