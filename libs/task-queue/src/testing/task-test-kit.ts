import {
  type CreateTaskQueueOptions,
  openTaskQueue,
  type StandaloneTaskQueue,
  type TaskWithHandler,
} from '../create-task-queue.js';
import { type AnyTaskDefinition, type TaskPayload } from '../definition/task-definition.js';
import { type TaskPriority } from '../definition/task-priority.js';
import { type InlineTask } from '../inline/inline-task.js';
import { type TaskStatus } from '../queue/task-status.js';
import { MODULE_OPTIONS_TOKEN } from '../task-queue.module-definition.js';
import {
  parseTaskQueueOptions,
  type TaskQueueOptions,
  type TaskQueueOptionsInput,
} from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { FakeClock } from './fake-clock.js';
import { KitControl } from './kit-control.js';
import { matches } from './matches.js';
import { SubmissionExpectationError, TaskNotWaitingError } from './testing.errors.js';

export interface TaskTestKitOptions {
  /**
   * `manual`: what is submitted waits until the test lets it run. `inline`: it runs before `submit` returns.
   *
   * @default 'manual'
   */
  readonly mode?: 'inline' | 'manual';
  /** Where the clock begins. @default now */
  readonly now?: Date;
}

/** A task as it was submitted; the payload is what JSON makes of it. */
export interface SubmittedTestTask<D extends AnyTaskDefinition = AnyTaskDefinition> {
  readonly id: string;
  readonly task: string;
  readonly payload: TaskPayload<D>;
  readonly priority: TaskPriority;
  /** Milliseconds, of `delayMs` or `runAt`. */
  readonly delayMs: number;
  /** How it is now. */
  readonly status: TaskStatus;
}

/** What was performed, with the result of a task that has completed. */
export type PerformedTask = TaskStatus & { readonly result?: unknown };

/** As much of a builder of `@nestjs/testing` as is needed. */
export interface TestingBuilder {
  overrideProvider(token: unknown): {
    useFactory(options: { factory: (...given: never[]) => unknown; inject: unknown[] }): unknown;
  };
}

/** Options of `createTaskQueue` that make sense without a store. */
export type TestQueueOptions<D extends readonly AnyTaskDefinition[]> = Omit<
  CreateTaskQueueOptions<D>,
  'backend' | 'connection' | 'worker' | 'asynchronous' | 'prefix'
>;

/** Submitted tasks that a message shows. */
const SHOWN = 10;

/**
 * For tests of code that submits tasks, and of handlers: a task queue without a store, with all of its engine
 * (validation, attempts, backoff, timeouts, batches, duplicates, limits, schedules), under the test's control and clock.
 */
export class TaskTestKit {
  readonly #clock: FakeClock;
  readonly #control: KitControl;

  constructor({ mode = 'manual', now = new Date() }: TaskTestKitOptions = {}) {
    this.#clock = new FakeClock(now);
    this.#control = new KitControl(mode);
  }

  /** The kit's time. */
  get now(): Date {
    return new Date(this.#clock.now());
  }

  /** A queue as `createTaskQueue` makes it. Close it. @throws as `createTaskQueue` */
  createTaskQueue<const D extends readonly AnyTaskDefinition[]>(
    options: TestQueueOptions<D>,
  ): Promise<StandaloneTaskQueue> {
    const tasks = options.tasks as readonly TaskWithHandler[];
    const definitions = tasks.map((it) => it.definition);
    return openTaskQueue(this.#optionsOf({ ...options, tasks: definitions } as never), tasks);
  }

  /**
   * Puts the kit under the `TaskQueueModule` of an application in test:
   * `kit.override(Test.createTestingModule({ imports: [AppModule] })).compile()`.
   */
  override<B extends TestingBuilder>(builder: B): B {
    return builder.overrideProvider(TASK_QUEUE_OPTIONS).useFactory({
      factory: (given: TaskQueueOptionsInput) => this.#optionsOf(given),
      inject: [MODULE_OPTIONS_TOKEN],
    }) as B;
  }

  /** What was submitted, of one task or of all, in order. Duplicates and known ids are not there. */
  submitted<D extends AnyTaskDefinition>(definition?: D): SubmittedTestTask<D>[] {
    return this.#control.tasks
      .filter((it) => !definition || it.task.definition.name === definition.name)
      .map(toSubmitted<D>);
  }

  /**
   * @param payload what is expected of it; a matcher of Jest or Vitest may stand anywhere in it
   * @param times exactly so many; without it, one or more
   * @returns those that match
   * @throws {SubmissionExpectationError} with what was submitted
   */
  expectSubmitted<D extends AnyTaskDefinition>(
    definition: D,
    payload?: unknown,
    { times }: { readonly times?: number } = {},
  ): SubmittedTestTask<D>[] {
    const all = this.submitted(definition);
    const found = all.filter((it) => payload === undefined || matches(it.payload, payload));
    if (times === undefined ? found.length > 0 : found.length === times) return found;
    const wanted = times === undefined ? 'at least once' : times === 1 ? 'once' : `${times} times`;
    const which = payload === undefined ? '' : ` with ${JSON.stringify(payload)}`;
    throw new SubmissionExpectationError(
      `Expected ${definition.name} to be submitted ${wanted}${which}, but it was ${found.length} times.`,
      this.#describe(all),
    );
  }

  /** @throws {SubmissionExpectationError} with what was submitted */
  expectNotSubmitted(definition: AnyTaskDefinition, payload?: unknown): void {
    this.expectSubmitted(definition, payload, { times: 0 });
  }

  /**
   * Runs one attempt of a waiting task now, and tells how the task is then: a failed attempt leaves it `delayed` until
   * its backoff has passed on the kit's clock. Of tasks with a batch handler it goes alone; use `drain`.
   *
   * @param which an id, or a definition for the first that waits
   * @throws {TaskNotWaitingError}
   */
  async perform(which: string | AnyTaskDefinition): Promise<PerformedTask> {
    const inline = this.#find(which);
    await this.#control.release([inline]);
    await this.#control.rested([inline]);
    return toPerformed(inline);
  }

  /**
   * Runs everything that waits, and what that submits, until nothing waits any more; batches are as large as they may.
   *
   * @param includeDelayed the clock goes on to whatever is delayed: delays, retries, limits
   * @returns those that were run, in the order of their submission
   */
  async drain({ includeDelayed = false }: { readonly includeDelayed?: boolean } = {}): Promise<
    PerformedTask[]
  > {
    const run = new Set<InlineTask>();
    for (;;) {
      const held = this.#control.held();
      for (const it of held) run.add(it);
      if (held.length > 0) await this.#control.release(held);
      // A handler may wait for what it has submitted itself.
      else if (!this.#control.areAtRest()) await this.#control.turn();
      else if (!includeDelayed || !(await this.#advanceToDelayed(run))) break;
    }
    return this.#control.tasks.filter((it) => run.has(it)).map(toPerformed);
  }

  /**
   * Lets the kit's time pass: what was delayed, backs off, is limited or scheduled in that span becomes due, one after
   * the other. In `inline` mode it runs; in `manual` mode it waits for the test. Handlers that wait for something real
   * are not waited for.
   */
  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms, () => this.#control.settle());
  }

  /** Forgets what was submitted; what waits stays where it is. */
  forget(): void {
    this.#control.tasks.splice(0, Infinity, ...this.#control.tasks.filter((it) => !it.finishedAt));
  }

  #optionsOf(given: TaskQueueOptionsInput): TaskQueueOptions {
    const options = parseTaskQueueOptions({ ...given, backend: { type: 'inline' }, worker: false });
    return { ...options, clock: this.#clock, inlineControl: this.#control };
  }

  /** @returns whether there was one */
  async #advanceToDelayed(run: Set<InlineTask>): Promise<boolean> {
    const delayed = this.#control.tasks.filter((it) => it.state === 'delayed' && !it.finishedAt);
    if (delayed.length === 0) return false;
    const next = Math.min(...delayed.map((it) => it.dueAt.getTime()));
    for (const it of delayed) if (it.dueAt.getTime() === next) run.add(it);
    await this.advance(Math.max(0, next - this.#clock.now()));
    return true;
  }

  #find(which: string | AnyTaskDefinition): InlineTask {
    const isIt = ({ task }: InlineTask) =>
      typeof which === 'string' ? task.id === which : task.definition.name === which.name;
    const held = this.#control.held().find(isIt);
    if (held) return held;
    const name = typeof which === 'string' ? `the task ${which}` : which.name;
    const known = this.#control.tasks.findLast(isIt);
    if (!known)
      throw new TaskNotWaitingError(name, `it was not submitted\n${this.#describe(this.submitted())}`);
    const until = known.state === 'delayed' ? ` until ${known.dueAt.toISOString()}; advance the clock` : '';
    throw new TaskNotWaitingError(name, `it is ${known.state}${until}`);
  }

  #describe(of: readonly SubmittedTestTask[]): string {
    const all = this.submitted();
    const shown = of.length > 0 ? of : all;
    if (shown.length === 0) return 'Nothing was submitted.';
    const what = of.length > 0 || all.length === 0 ? 'It was submitted with' : 'Submitted was only';
    const lines = shown
      .slice(0, SHOWN)
      .map((it) => `- ${it.task} ${JSON.stringify(it.payload)} (${it.status.state})`);
    const more = shown.length > SHOWN ? [`- and ${shown.length - SHOWN} more`] : [];
    return [`${what}:`, ...lines, ...more].join('\n');
  }
}

function toSubmitted<D extends AnyTaskDefinition>(inline: InlineTask): SubmittedTestTask<D> {
  const { definition, id, payload, priority, delayMs } = inline.task;
  const { status } = inline.record();
  return {
    id,
    task: definition.name,
    payload: JSON.parse(payload) as TaskPayload<D>,
    priority,
    delayMs,
    status,
  };
}

function toPerformed(inline: InlineTask): PerformedTask {
  const { status, result } = inline.record();
  return result === undefined ? status : { ...status, result: JSON.parse(result) as unknown };
}
