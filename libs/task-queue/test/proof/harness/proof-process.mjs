// A worker in a process of its own, for the proofs to kill. Uses the built package. Begins when it is told to by a line.
// Prints a line when it can be told to, when it takes tasks, and for every run of a task.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTaskQueue, defineTask, PermanentTaskError, PgTransactions } from '@peregrine/task-queue';
import pg from 'pg';
import { CONCURRENCY, fateOf, proofTasks } from './proof-tasks.ts';

const { backend, prefix, databaseUrl, runMs, options } = JSON.parse(process.argv[2]);
const { single, batched } = proofTasks(defineTask);

/** @returns the error of this attempt, or undefined */
function failure(number, attempt) {
  const fate = fateOf(number);
  if (fate === 'fails-at-once') return new PermanentTaskError(`${number} is pointless`);
  if (fate === 'fails' || (fate === 'completes-later' && attempt === 1)) return new Error(`${number} failed`);
  return undefined;
}

const note = (task, { number }, { attempt }) => console.log(`run ${task.name}/${number}/${attempt}`);

async function runSingle(payload, ctx) {
  note(single, payload, ctx);
  await sleep(runMs);
  const error = failure(payload.number, ctx.attempt);
  if (error) throw error;
  return payload.number;
}

async function executeBatch(items) {
  for (const { payload, ctx } of items) note(batched, payload, ctx);
  await sleep(2 * runMs);
  return items.map(({ payload: { number }, ctx }) => {
    const error = failure(number, ctx.attempt);
    return error ? { ok: false, error } : { ok: true, value: number };
  });
}

console.log('loaded');
await once(process.stdin, 'data');
process.stdin.unref();
const queue = await createTaskQueue({
  backend,
  prefix,
  tasks: [
    { definition: single, handler: runSingle },
    { definition: batched, handler: { executeBatch } },
  ],
  worker: { concurrency: CONCURRENCY, lockDurationMs: 2_000, stalledIntervalMs: 400, maxStalledCount: 1_000 },
  ...(databaseUrl && {
    transactions: new PgTransactions(
      new pg.Pool({ connectionString: databaseUrl, max: 2, allowExitOnIdle: true }),
    ),
  }),
  ...options,
});
process.once('SIGTERM', () => queue.close());
console.log('ready');
