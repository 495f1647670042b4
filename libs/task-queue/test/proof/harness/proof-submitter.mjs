// Writes orders and submits their tasks, each order in a transaction, in a process of its own for the proofs to kill. Uses
// the built package. Begins when it is told to by a line, and goes on with what is not written yet. Prints a line when it
// can be told to, when it begins, and when there is nothing left.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTaskQueue, defineTask, PgTransactions } from '@peregrine/task-queue';
import pg from 'pg';
import { isRolledBack, proofTasks } from './proof-tasks.ts';

const { backend, prefix, databaseUrl, numbers } = JSON.parse(process.argv[2]);
const { single, batched } = proofTasks(defineTask);
/** Long enough to be killed between the order and its tasks. */
const THINKING_MS = 15;

console.log('loaded');
await once(process.stdin, 'data');
const pool = new pg.Pool({ connectionString: databaseUrl });
const transactions = new PgTransactions(pool);
const queue = await createTaskQueue({
  backend,
  prefix,
  transactions,
  worker: false,
  tasks: [{ definition: single }, { definition: batched }],
});
console.log('ready');

async function order(number) {
  await transactions.run(async (client) => {
    const { rowCount } = await client.query('INSERT INTO proof_order VALUES ($1) ON CONFLICT DO NOTHING', [
      number,
    ]);
    if (rowCount === 0) return;
    await sleep(THINKING_MS);
    await queue.submit(single, { number }, { id: String(number) });
    await queue.submitBatch(batched, [{ payload: { number }, id: String(number) }]);
    if (isRolledBack(number)) throw new Error('Rolled back');
  });
}

const { rows } = await pool.query('SELECT number FROM proof_order UNION SELECT number FROM proof_refusal');
const done = new Set(rows.map((it) => it.number));
const left = numbers.filter((it) => !done.has(it));
// Not all begin with the same.
const first = Math.floor(Math.random() * left.length);
for (const number of [...left.slice(first), ...left.slice(0, first)]) {
  await order(number).catch(async (error) => {
    if (error.message !== 'Rolled back') throw error;
    await pool.query('INSERT INTO proof_refusal VALUES ($1) ON CONFLICT DO NOTHING', [number]);
  });
}
console.log('finished');
