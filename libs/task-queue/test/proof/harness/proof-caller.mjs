// A call on the queue in a process of its own, for the proofs to kill in the middle. Uses the built package. Prints a
// line when the call begins, one for every step that it has taken where it tells, and one when it has ended.
import { createTaskQueue, defineTask } from '@peregrine/task-queue';
import { proofTasks } from './proof-tasks.ts';

const { backend, prefix, verb, ids } = JSON.parse(process.argv[2]);
const { single, batched } = proofTasks(defineTask);
const tasks = [{ definition: single }, { definition: batched }];
const queue = await createTaskQueue({ backend, prefix, worker: false, tasks });
await queue.ready();
await queue.stats();

const verbs = {
  redrive: () =>
    queue.deadLetters.redrive(
      { task: single.name },
      { ratePerSecond: 1_000, onProgress: () => console.log('step') },
    ),
  purge: () => queue.deadLetters.purge({ task: single.name }),
  cancel: async () => {
    for (let start = 0; start < ids.length; start += 100) {
      await queue.cancelMany(single, ids.slice(start, start + 100));
      console.log('step');
    }
  },
};
console.log('begun');
await verbs[verb]();
console.log('ended');
await queue.close();
