import { parentPort, workerData } from 'node:worker_threads';

import { runWorldTask, type WorldColumns, type WorldTask } from './world-tasks.ts';

// One thread: a task comes, its answers go.
parentPort?.on('message', (task: WorldTask) => {
  parentPort?.postMessage(runWorldTask(workerData as WorldColumns, task));
});
