import { Inject, Injectable } from '@nestjs/common';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { type NewTask } from '../queue/new-task.js';
import { TaskStore } from '../queue/task-store.js';
import { QueueUnavailableError } from '../task-queue.errors.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { OutboxTable, type OutboxRow } from './outbox-table.js';
import { type QueryClient, type TransactionSource } from './transaction-source.js';

/** Where tasks of transactions wait for the relay, if the store is not in the database of the transactions. */
@Injectable()
export class TaskOutbox {
  readonly table: OutboxTable;
  readonly #joinable: TaskStore['joinable'];
  readonly #source: TransactionSource | undefined;
  /** Undefined while unknown. */
  #isUsed: boolean | undefined;

  constructor(@Inject(TASK_QUEUE_OPTIONS) options: TaskQueueOptions, store: TaskStore) {
    this.table = new OutboxTable(options.prefix);
    this.#joinable = store.joinable;
    this.#source = options.transactions;
    if (!this.#source || options.backend.type === 'inline') this.#isUsed = false;
    else if (!this.#joinable) this.#isUsed = true;
  }

  /** Whether it is the way of tasks in transactions on the database of this connection. */
  async isUsed(client: QueryClient): Promise<boolean> {
    this.#isUsed ??= !(await this.#joinable?.isOn(client));
    return this.#isUsed;
  }

  /** False where a task cannot be in it. */
  get mayHoldTasks(): boolean {
    return this.#isUsed !== false;
  }

  async add(client: QueryClient, tasks: readonly NewTask[]): Promise<string[]> {
    await this.table.insert(client, tasks);
    return tasks.map((it) => it.id);
  }

  /** @throws {QueueUnavailableError} */
  async find(definition: AnyTaskDefinition, id: string): Promise<OutboxRow | null> {
    return this.#inTransaction('status', null, (client) => this.table.find(client, definition.name, id));
  }

  /** @returns the ids of the tasks that were there and are gone @throws {QueueUnavailableError} */
  async cancel(definition: AnyTaskDefinition, ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    return this.#inTransaction('cancel', new Set<string>(), (client) =>
      this.table.cancel(client, definition.name, ids),
    );
  }

  async #inTransaction<T>(
    operation: string,
    otherwise: T,
    work: (client: QueryClient) => Promise<T>,
  ): Promise<T> {
    if (!this.#source || this.#isUsed === false) return otherwise;
    try {
      return await this.#source.run(async (client) =>
        (await this.isUsed(client)) ? work(client) : otherwise,
      );
    } catch (error) {
      throw new QueueUnavailableError(operation, { cause: error });
    }
  }
}
