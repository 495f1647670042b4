import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type NewTask } from '../queue/new-task.js';
import { TaskStore } from '../queue/task-store.js';
import { TaskSubmitter } from '../queue/task-submitter.js';
import { Repeater } from '../repeater.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { ThrottledLog } from '../throttled-log.js';
import { Cron } from './cron.js';
import { dueTicks } from './due-ticks.js';
import { decodeSchedule, encodeSchedule, type StoredSchedule } from './task-schedule.js';

const INTERVAL_MS = 500;
/** What was read longer ago is read again before anything is submitted by it, milliseconds. */
const STALE_AFTER_MS = 5_000;

/**
 * Submits the tasks of schedules at their ticks, in every process with a worker at once. A tick has one id, so
 * whoever comes second submits nothing; then the schedule moves on, if it still is what was read. A process that dies
 * in between leaves the tick to the others.
 */
@Injectable()
export class Scheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #log = new ThrottledLog(new Logger('TaskQueue'));
  readonly #repeater: Repeater;

  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    private readonly store: TaskStore,
    private readonly submitter: TaskSubmitter,
  ) {
    const onError = (error: unknown) => this.#log.warn('The schedules could not be looked up', error);
    this.#repeater = new Repeater(INTERVAL_MS, () => this.run(), onError, options.clock);
  }

  onApplicationBootstrap(): void {
    if (this.options.worker || this.options.backend.type === 'inline') this.#repeater.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#repeater.stop();
  }

  /** Runs what is due now. @throws {QueueUnavailableError} when the schedules cannot be read */
  async run(): Promise<void> {
    const readAt = performance.now();
    const texts = await this.store.schedules();
    for (const [name, text] of texts) {
      if (performance.now() - readAt > STALE_AFTER_MS) return;
      try {
        await this.#runSchedule(name, text);
      } catch (error) {
        this.#log.warn(`The schedule ${name} could not be run`, error);
      }
    }
  }

  async #runSchedule(name: string, text: string): Promise<void> {
    const schedule = decodeSchedule(text);
    const now = this.options.clock.now();
    if (schedule.nextAt > now) return;
    const definition = this.options.tasks.find((it) => it.name === schedule.task);
    // Another process may know it: a rolling deployment.
    if (!definition) return;
    const cron = new Cron(name, schedule.cron, schedule.timeZone);
    const ticks = dueTicks({ ...schedule, cron, now });
    const tasks = ticks.map((tick): NewTask => ({ ...taskOf(schedule, name, tick), definition }));
    const submitted = this.submitter.submitMany(tasks);
    // Inline, the tasks run here and now, and must not hold up the other schedules.
    if (this.options.backend.type !== 'inline') await submitted;
    else submitted.catch((error: unknown) => this.#log.warn(`The schedule ${name} could not be run`, error));
    await this.store.swapSchedule(name, text, encodeSchedule({ ...schedule, nextAt: cron.nextAfter(now) }));
  }
}

function taskOf(schedule: StoredSchedule, name: string, tick: number): Omit<NewTask, 'definition'> {
  const { payload, schemaVersion, priority } = schedule;
  return { id: `${name}@${tick}`, payload, schemaVersion, priority, delayMs: 0 };
}
