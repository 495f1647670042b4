import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { TransactionalCompletionError } from '../task-queue.errors.js';
import { type Claim, type JoinableStore } from './joinable-store.js';
import { type TransactionSource } from './transaction-source.js';

/** Completes running tasks in the transaction of their handlers. */
export class TransactionalCompletion {
  constructor(
    private readonly source: TransactionSource | undefined,
    private readonly joinable: JoinableStore | null,
  ) {}

  /**
   * @param claim `null`: the task runs inline, and no store knows it
   * @param result JSON text
   * @param onCommit the task has completed
   * @throws {TransactionalCompletionError} nothing has failed in the transaction
   * @throws as `JoinableStore.complete`
   */
  async complete(
    { name }: AnyTaskDefinition,
    claim: Claim | null,
    result: string,
    onCommit: () => void,
  ): Promise<void> {
    const { source, joinable } = this;
    if (!source) throw new TransactionalCompletionError(name, 'the option `transactions` is not there');
    const client = source.current();
    if (!client) throw new TransactionalCompletionError(name, 'the calling code is in no open transaction');
    if (claim) {
      if (!joinable || !(await joinable.isOn(client))) {
        const problem = 'the tasks are not kept in the database of the transaction';
        throw new TransactionalCompletionError(name, problem);
      }
      await joinable.complete(client, claim, result);
    }
    await source.afterCommit(onCommit);
  }
}
