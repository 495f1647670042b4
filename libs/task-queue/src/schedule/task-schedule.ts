import { z } from 'zod';
import { TASK_PRIORITIES, type TaskPriority } from '../definition/task-priority.js';
import { InvalidScheduleError } from '../task-queue.errors.js';
import { Cron } from './cron.js';
import { type MissedTicks } from './due-ticks.js';

/** When a schedule submits its task. */
export interface ScheduleOptions {
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  /** IANA name. @default UTC */
  readonly timeZone?: string;
  /** @default skip */
  readonly missed?: MissedTicks;
  /** Missed ticks that are run at most under `catch-up`, the latest. @default 100 */
  readonly catchUpLimit?: number;
  /** @default the definition's */
  readonly priority?: TaskPriority;
}

/** A schedule as it lies in the store. */
export interface TaskSchedule {
  readonly name: string;
  /** Name of the definition. */
  readonly task: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly missed: MissedTicks;
  readonly catchUpLimit: number;
  /** The next tick. */
  readonly nextAt: Date;
}

const NAME = /^[\w.-]{1,100}$/;

const optionsSchema = z.strictObject({
  cron: z.string().max(200),
  timeZone: z.string().max(100).default('UTC'),
  missed: z.enum(['skip', 'once', 'catch-up']).default('skip'),
  catchUpLimit: z.number().int().min(1).max(10_000).default(100),
  priority: z.enum(TASK_PRIORITIES).optional(),
});

const storedSchema = optionsSchema.extend({
  task: z.string(),
  /** JSON text. */
  payload: z.string(),
  schemaVersion: z.number(),
  priority: z.enum(TASK_PRIORITIES),
  /** Epoch milliseconds. */
  nextAt: z.number(),
});

export type ParsedScheduleOptions = z.output<typeof optionsSchema>;
export type StoredSchedule = Readonly<z.output<typeof storedSchema>>;

/** @throws {InvalidScheduleError} with every problem */
export function parseScheduleOptions(
  name: string,
  options: ScheduleOptions,
): ParsedScheduleOptions & { parsedCron: Cron } {
  if (!NAME.test(name)) {
    throw new InvalidScheduleError(name, 'its name must have 1 to 100 characters out of A-Z a-z 0-9 . _ -');
  }
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new InvalidScheduleError(name, z.prettifyError(parsed.error), { cause: parsed.error });
  }
  return { ...parsed.data, parsedCron: new Cron(name, parsed.data.cron, parsed.data.timeZone) };
}

export function decodeSchedule(text: string): StoredSchedule {
  return storedSchema.parse(JSON.parse(text));
}

export function encodeSchedule(schedule: StoredSchedule): string {
  return JSON.stringify(schedule);
}

export function toTaskSchedule(name: string, stored: StoredSchedule): TaskSchedule {
  const { task, cron, timeZone, missed, catchUpLimit, nextAt } = stored;
  return { name, task, cron, timeZone, missed, catchUpLimit, nextAt: new Date(nextAt) };
}
