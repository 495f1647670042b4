import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import type { ExactAnswer } from './exact.ts';
import { runWorldTask, type WorldColumns, type WorldTask } from './world-tasks.ts';

/** Fewer tasks than these are done sooner here than threads start. */
const FEW_TASKS = 8;

/**
 * Does tasks in threads, each thread the next one when it is free.
 *
 * @returns the answers of all, in the order of the tasks
 */
export async function runWorldTasks(
  columns: WorldColumns,
  tasks: readonly WorldTask[],
): Promise<ExactAnswer[]> {
  if (tasks.length < FEW_TASKS) return tasks.flatMap((it) => runWorldTask(columns, it));
  const results: (readonly ExactAnswer[])[] = [];
  const waiting = tasks.entries();
  const threads = Array.from({ length: availableParallelism() }, async () => {
    const worker = new Worker(new URL('./world-worker.ts', import.meta.url), { workerData: columns });
    try {
      for (const [at, task] of waiting) results[at] = await answerOf(worker, task);
    } finally {
      await worker.terminate();
    }
  });
  await Promise.all(threads);
  return results.flat();
}

function answerOf(worker: Worker, task: WorldTask): Promise<readonly ExactAnswer[]> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (answers: readonly ExactAnswer[]) => {
      worker.off('error', reject);
      resolve(answers);
    });
    worker.postMessage(task);
  });
}
