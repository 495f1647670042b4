import { Injectable } from '@nestjs/common';
import { type NewTask } from '../queue/new-task.js';
import { TaskStore } from '../queue/task-store.js';
import {
  decodeSchedule,
  encodeSchedule,
  parseScheduleOptions,
  type ScheduleOptions,
  type StoredSchedule,
  type TaskSchedule,
  toTaskSchedule,
} from './task-schedule.js';

/** Keeps the schedules in the store, for every process to see. */
@Injectable()
export class Schedules {
  constructor(private readonly store: TaskStore) {}

  /**
   * Creates or replaces one. Where cron and time zone stay, its next tick does too, so that putting it again at every
   * start misses nothing.
   *
   * @param nowMs epoch milliseconds
   * @param task of which the payload and the priority are taken
   * @throws {InvalidScheduleError}
   * @throws {QueueUnavailableError}
   */
  async put(
    name: string,
    task: NewTask,
    options: ScheduleOptions,
    nowMs = Date.now(),
  ): Promise<TaskSchedule> {
    const { parsedCron, ...parsed } = parseScheduleOptions(name, options);
    for (;;) {
      const present = (await this.store.schedules()).get(name) ?? null;
      const old = present === null ? null : decodeSchedule(present);
      const keepsTicks = old?.cron === parsed.cron && old.timeZone === parsed.timeZone;
      const next: StoredSchedule = {
        ...parsed,
        task: task.definition.name,
        payload: task.payload,
        schemaVersion: task.schemaVersion,
        priority: task.priority,
        nextAt: keepsTicks ? old.nextAt : parsedCron.nextAfter(nowMs),
      };
      if (await this.store.swapSchedule(name, present, encodeSchedule(next)))
        return toTaskSchedule(name, next);
    }
  }

  /** @returns whether there was one @throws {QueueUnavailableError} */
  async remove(name: string): Promise<boolean> {
    for (;;) {
      const present = (await this.store.schedules()).get(name);
      if (present === undefined) return false;
      if (await this.store.swapSchedule(name, present, null)) return true;
    }
  }

  /** By name. @throws {QueueUnavailableError} */
  async list(): Promise<TaskSchedule[]> {
    const texts = await this.store.schedules();
    return [...texts]
      .map(([name, text]) => toTaskSchedule(name, decodeSchedule(text)))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
