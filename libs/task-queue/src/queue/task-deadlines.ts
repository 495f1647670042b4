import { type TaskPriority } from '../definition/task-priority.js';
import { type PriorityPromises } from '../task-queue.options.js';

/** Tasks whose deadlines fall into one tick are equals, and go in the order of arrival. */
export const TICK_MS = 100;
/** Ticks after which the numbers begin again: 29 hours. */
const WINDOW = 2 ** 20;
/** Ticks that a number may lie before its window: tasks up to 14.5 hours late keep their order. */
const PAST = 2 ** 19;
/** Share of the promise that is planned with; the rest is for what already runs or is due at the same time. */
const PLANNED = 0.75;
/** How far the clocks of processes may be apart. */
const SKEW_TICKS = 600;
/** BullMQ's largest priority. */
const MAX_NUMBER = 2_097_151;

/** What moves numbers of an earlier window into the present one. */
export interface Rebase {
  /** Higher numbers than this cannot have been given out in this window. */
  readonly highest: number;
  /** To take off them, where that leaves something. */
  readonly shift: number;
}

/**
 * Priorities as deadlines: a task should be taken within its class's slack, and what is due first is taken first
 * (earliest deadline first, Liu and Layland 1973). So a class goes before the less urgent ones, but none can be held
 * up for ever: whatever comes later is due later at some point.
 *
 * BullMQ orders by whole numbers up to 2,097,151, lowest first. A number is the deadline in ticks since a little
 * before the window, 29 hours long, in which the task is due to start. When a window ends, numbers start again from
 * below; `rebase` tells how to bring along those that still wait. Nothing is shared but the clock.
 */
export class TaskDeadlines {
  readonly #slackTicks: Readonly<Record<TaskPriority, number>>;

  constructor(promises: PriorityPromises) {
    const ticks = Object.entries(promises).map(([priority, { maxWaitMs }]) => [
      priority,
      Math.floor((maxWaitMs * PLANNED) / TICK_MS),
    ]);
    this.#slackTicks = Object.fromEntries(ticks) as Record<TaskPriority, number>;
  }

  /**
   * The number in the store, never 0, which BullMQ would run before everything else.
   *
   * @param dueAtMs when the task may start, epoch milliseconds
   */
  numberOf(priority: TaskPriority, dueAtMs: number): number {
    const dueTick = Math.floor(dueAtMs / TICK_MS);
    const number = dueTick - originOf(dueTick) + this.#slackTicks[priority];
    return Math.min(Math.max(number, 1), MAX_NUMBER);
  }

  /** The planned start that a number stands for, epoch milliseconds. */
  deadlineOf(number: number, nowMs: number): number {
    return (number + originOf(Math.floor(nowMs / TICK_MS))) * TICK_MS;
  }

  rebase(nowMs: number): Rebase {
    const highest = this.numberOf('BATCH', nowMs) + SKEW_TICKS;
    return { highest, shift: WINDOW };
  }
}

/** The tick that has the number 0 for tasks that are due at this tick. */
function originOf(dueTick: number): number {
  return Math.floor(dueTick / WINDOW) * WINDOW - PAST;
}
