import { Inject, Injectable } from '@nestjs/common';
import { type NewTask } from '../queue/new-task.js';
import { TaskStore } from '../queue/task-store.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { OutboxRelay } from './outbox-relay.js';
import { TaskOutbox } from './task-outbox.js';
import { type AfterCommit, type QueryClient } from './transaction-source.js';

/** Makes tasks part of the transaction that the calling code is in. */
@Injectable()
export class TransactionalSubmitter {
  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    private readonly store: TaskStore,
    private readonly outbox: TaskOutbox,
    private readonly relay: OutboxRelay,
  ) {}

  /** The connection of the open transaction that the calling code is in. */
  get client(): QueryClient | undefined {
    return this.options.transactions?.current();
  }

  /**
   * Straight into the store where that is in the same database, else into the outbox beside it.
   *
   * @param client of the open transaction
   * @returns the ids; from the outbox always those that were asked for
   * @throws {QueueUnavailableError} nothing has failed in the transaction
   * @throws the driver's error: the transaction, or a savepoint of it, has to be rolled back
   */
  async add(client: QueryClient, tasks: readonly NewTask[]): Promise<string[]> {
    if (tasks.length === 0) return [];
    if (this.store.joinable && !(await this.outbox.isUsed(client))) {
      return this.store.joinable.add(client, tasks);
    }
    const ids = await this.outbox.add(client, tasks);
    await this.afterCommit(() => this.relay.wake());
    return ids;
  }

  async afterCommit(work: AfterCommit): Promise<void> {
    await this.options.transactions?.afterCommit(work);
  }
}
