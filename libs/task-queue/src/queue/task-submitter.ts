import { Inject, Injectable } from '@nestjs/common';
import { InlineRunner } from '../inline/inline-runner.js';
import { TaskStatistics } from '../statistics/task-statistics.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { submitSpan } from '../tracing/task-spans.js';
import { TransactionalSubmitter } from '../transactional/transactional-submitter.js';
import { type NewTask } from './new-task.js';
import { TaskStore } from './task-store.js';

/** Brings validated tasks to where they run, and counts them; in a transaction, when and if that commits. */
@Injectable()
export class TaskSubmitter {
  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    private readonly store: TaskStore,
    private readonly inline: InlineRunner,
    private readonly statistics: TaskStatistics,
    private readonly transactional: TransactionalSubmitter,
  ) {}

  /**
   * @returns the id, another than asked for when the task is a duplicate by its `dedupe.key`
   * @throws {QueueUnavailableError}
   * @throws {TaskHandlerMissingError} inline
   * @throws the driver's error, in a transaction, which can only be rolled back then
   */
  async submit(task: NewTask): Promise<string> {
    if (this.transactional.client) return (await this.submitMany([task]))[0] ?? task.id;
    return submitSpan([task], ([traced = task]) => this.#submitOne(traced));
  }

  /** In the order of the tasks. @throws as `submit`; some may be in the store then, outside a transaction */
  submitMany(tasks: readonly NewTask[]): Promise<string[]> {
    return submitSpan(tasks, (traced) => this.#submitAll(traced));
  }

  async #submitOne(task: NewTask): Promise<string> {
    const id = this.#isAsynchronous(task) ? await this.store.add(task) : await this.inline.run(task);
    this.#count([task]);
    return id;
  }

  async #submitAll(tasks: readonly NewTask[]): Promise<string[]> {
    const byMode = Map.groupBy(tasks, (it) => this.#isAsynchronous(it));
    const stored = byMode.get(true) ?? [];
    const inline = byMode.get(false) ?? [];
    const ids = new Map<NewTask, string>();
    const note = (of: readonly NewTask[], given: readonly string[]) =>
      of.forEach((task, index) => ids.set(task, given[index] ?? task.id));
    const { client } = this.transactional;
    if (client) {
      for (const { definition } of inline) this.inline.assertHandled(definition);
      note(stored, await this.transactional.add(client, stored));
      await this.transactional.afterCommit(async () => {
        this.#count(tasks);
        await this.inline.runMany(inline);
      });
    } else {
      note(stored, await this.store.addMany(stored));
      note(inline, await this.inline.runMany(inline));
      this.#count(tasks);
    }
    return tasks.map((it) => ids.get(it) ?? it.id);
  }

  #count(tasks: readonly NewTask[]): void {
    for (const { definition } of tasks) this.statistics.of(definition.name).submitted++;
  }

  /** Those that may be duplicates of each other go the same way, where the others can be found. */
  #isAsynchronous({ definition, id, dedupeKey }: NewTask): boolean {
    return this.options.asynchronous(definition.name, dedupeKey ?? id);
  }
}
