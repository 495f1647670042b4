import { expect } from '@jest/globals';
import {
  createTaskQueue,
  defineTask,
  type StandaloneTaskQueue,
  type TaskQueueOptionsInput,
} from '../../../src/index.js';
import { OPERATION_TIMEOUT_MS } from '../../probe-app.js';
import { type ProofStore } from './proof-stores.js';
import { attemptsOf, fateOf, proofTasks, stateOf } from './proof-tasks.js';
import { ProofWorkers } from './proof-workers.js';

export const { single, batched } = proofTasks(defineTask);
export type ProofTask = typeof single;

/** A store, a caller and the workers of one proof. */
export class Proof<S extends ProofStore = ProofStore> {
  private constructor(
    readonly store: S,
    readonly queue: StandaloneTaskQueue,
    readonly workers: ProofWorkers,
  ) {}

  static async open<S extends ProofStore>(
    openStore: () => Promise<S>,
    options: Partial<Omit<TaskQueueOptionsInput, 'backend' | 'tasks'>> = {},
  ): Promise<Proof<S>> {
    const store = await openStore();
    const { backend, prefix } = store;
    const queue = await createTaskQueue({
      operationTimeoutMs: OPERATION_TIMEOUT_MS,
      worker: false,
      ...options,
      backend,
      prefix,
      tasks: [{ definition: single }, { definition: batched }],
    });
    await queue.stats();
    await store.remember();
    return new Proof(store, queue, new ProofWorkers({ backend, prefix }));
  }

  async close(): Promise<void> {
    await this.workers.stop();
    await this.queue.close();
    await this.store.remove();
  }

  async submit(definition: ProofTask, numbers: readonly number[]): Promise<void> {
    const items = numbers.map((number) => ({ payload: { number }, id: String(number) }));
    await this.queue.submitBatch(definition, items);
  }

  readonly isDone = async (): Promise<boolean> => {
    const { pending, running } = await this.queue.stats();
    return pending === 0 && running === 0;
  };

  /** None is lost, and none ended twice: each as its number says, after as many attempts as that takes. */
  async expectEndsOnce(
    definition: ProofTask,
    numbers: readonly number[],
    { runs }: Pick<ProofWorkers, 'runs'> = this.workers,
  ): Promise<void> {
    const ends = await this.store.ends();
    const found: unknown[] = [];
    for (const number of numbers) {
      const status = await this.queue.status(definition, String(number));
      const attempts = [1, 2, 3].filter((it) => runs.has(`${definition.name}/${number}/${it}`));
      found.push([number, status?.state, ends.get(`${definition.name}/${number}`), attempts.length]);
    }
    const expected = numbers.map((number) => {
      const fate = fateOf(number);
      return [number, stateOf(fate), [stateOf(fate)], attemptsOf(fate)];
    });
    expect(found).toEqual(expected);
  }
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}
