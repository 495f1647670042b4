import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { type TaskPriority, TASK_PRIORITIES, type TaskStatus } from '../src/index.js';
import { TICK_MS } from '../src/queue/task-deadlines.js';
import { type ProbeApp } from './probe-app.js';
import { single } from './probe-tasks.js';

export const LOWER_CLASSES: readonly TaskPriority[] = TASK_PRIORITIES.slice(1);

/** Urgent tasks that wait at least while the flood lasts: enough that no worker is ever idle. */
export const BACKLOG = 60;

interface FloodCall {
  /** Epoch milliseconds; it was submitted at this time or a little later. */
  readonly submitted: number;
  readonly calledAt: number;
}

/** Keeps urgent tasks waiting, whatever the workers do, and writes down what they do. */
export class Flood {
  /** In the order of the calls. */
  readonly calls: FloodCall[] = [];
  /** How many calls there were before the one of another class. */
  readonly turns = new Map<TaskPriority, number>();
  readonly #acceptedAt = new Map<number, number>();
  #stopped = false;

  constructor(
    private readonly caller: ProbeApp,
    workers: readonly ProbeApp[],
  ) {
    for (const { probe } of workers) {
      for (const priority of LOWER_CLASSES) {
        probe.singles.set(priority, () => Promise.resolve(void this.turns.set(priority, this.calls.length)));
      }
      // Time in which the caller submits more of them, so that the queue does not run dry on a busy machine.
      probe.singles.set('flood', ({ id }) => {
        this.calls.push({ submitted: Number(id.split('.')[0]), calledAt: Date.now() });
        return sleep(10);
      });
    }
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const { pending } = await this.caller.queue.stats();
      if ((pending ?? 0) < BACKLOG) await this.#submit();
      else await sleep(5);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * One of another class had its turn by its deadline: neither before what was due earlier, nor after what was due
   * later, and within its promise.
   *
   * @param from it was submitted at this time, epoch milliseconds
   * @param to or a little later, until then
   */
  expectTurn({ priority, startedAt, submittedAt }: TaskStatus, from: number, to: number): void {
    const claimedAt = startedAt!.getTime();
    const turn = this.turns.get(priority)!;
    const dueAfter = (it: FloodCall) =>
      this.#plannedStart('CRITICAL', it.submitted) > this.#plannedStart(priority, to) + 2 * TICK_MS;
    const dueBefore = (it: FloodCall) =>
      this.#plannedStart('CRITICAL', this.#accepted(it)) < this.#plannedStart(priority, from) - 2 * TICK_MS;
    const tooEarly = this.calls.slice(0, turn).filter((it) => it.calledAt < claimedAt && dueAfter(it));
    expect(tooEarly).toEqual([]);
    const late = this.calls.slice(turn).filter((it) => this.#accepted(it) < claimedAt && dueBefore(it));
    // The other worker may be about to make its call.
    expect(late.length).toBeLessThanOrEqual(1);
    // On a machine that is too slow for the flood, all classes are late alike.
    const wait = claimedAt - submittedAt.getTime();
    expect(wait).toBeLessThanOrEqual(this.#maxWaitMs(priority) + this.#lateByMs());
  }

  /** When the task was in the queue for certain, epoch milliseconds. */
  #accepted({ submitted }: FloodCall): number {
    return this.#acceptedAt.get(submitted)!;
  }

  /** How much longer than promised a task of the flood itself has waited at most. */
  #lateByMs(): number {
    const waits = this.calls.map((it) => it.calledAt - it.submitted);
    return Math.max(0, Math.max(...waits) - this.#maxWaitMs('CRITICAL'));
  }

  /** A task is due three quarters of its class's promise after it may start; epoch milliseconds. */
  #plannedStart(priority: TaskPriority, at: number): number {
    return at + 0.75 * this.#maxWaitMs(priority);
  }

  #maxWaitMs(priority: TaskPriority): number {
    return this.caller.options.priorities[priority].maxWaitMs;
  }

  async #submit(): Promise<void> {
    const now = Date.now();
    const tasks = Array.from({ length: BACKLOG }, (_, index) => ({
      payload: { key: 'flood' },
      id: `${now}.${index}`,
    }));
    await this.caller.queue.submitBatch(single, tasks, { priority: 'CRITICAL' });
    this.#acceptedAt.set(now, Date.now());
  }
}
