import { expect, it } from '@jest/globals';
import pg from 'pg';
import { type NewTask } from '../../src/queue/new-task.js';
import { TaskStore } from '../../src/queue/task-store.js';
import { OutboxTable } from '../../src/transactional/outbox-table.js';
import { until, WAIT } from '../probe-app.js';
import { single } from '../probe-tasks.js';
import { type MoreTests, type TransactionsSetup } from './transactions.js';

/** Where the store is not in the database of the transactions. */
export const describeOutbox: MoreTests = (start, setup) => {
  it('says of a task that it is in the outbox, and waits for it', async () => {
    const { queue, transactions, options } = await start();
    const release = await holdRelays(setup(), options.prefix);
    const { id } = await transactions.run(() => queue.submit(single, { key: 'waits' }, { priority: 'HIGH' }));
    expect(await queue.status(single, id)).toMatchObject({ state: 'waiting', attempts: 0, priority: 'HIGH' });
    expect(await queue.explain(single, id)).toMatchObject({ reason: 'in-outbox', priority: 'HIGH' });
    const later = await transactions.run(() => queue.submit(single, { key: 'later' }, { delayMs: 60_000 }));
    expect(await queue.status(single, later.id)).toMatchObject({ state: 'delayed' });
    const result = queue.waitFor(single, id, WAIT);
    await release();
    expect(await result).toBe('waits');
    await until(async () => (await queue.explain(single, later.id)).reason === 'delayed');
  });

  it('removes a cancelled task from the outbox', async () => {
    const { queue, probe, transactions, options } = await start();
    const release = await holdRelays(setup(), options.prefix);
    const [gone, kept] = await transactions.run(() =>
      queue.submitBatch(single, [
        { payload: { key: 'gone' }, id: 'gone' },
        { payload: { key: 'kept' }, id: 'kept' },
      ]),
    );
    expect(await queue.cancelMany(single, ['unknown', 'gone'])).toEqual(['not-found', 'cancelled']);
    expect(await queue.status(single, gone!.id)).toBeNull();
    await release();
    await queue.waitFor(single, kept!.id, WAIT);
    expect(probe.callsOf('gone')).toBe(0);
  });

  it('keeps the order of submission', async () => {
    const { queue, probe, transactions } = await start({ worker: { concurrency: 1 }, tasks: [single] });
    await queue.pause();
    const numbers = Array.from({ length: 600 }, (_, number) => ({ key: `ordered ${number}` }));
    const ids = await transactions.run(() => queue.submitBatch(single, numbers));
    await until(async () => (await queue.stats()).pending === numbers.length);
    await queue.resume();
    await queue.waitFor(single, ids.at(-1)!.id, WAIT);
    expect(probe.calls.map((it) => it.key)).toEqual(numbers.map((it) => it.key));
  });

  it('lets a task that cannot be relayed hold up no other', async () => {
    const { queue, transactions, options, pool } = await start({ tasks: [single] });
    await insertRow(pool, options.prefix, { task: 'of.another.version' });
    await insertRow(pool, options.prefix, { task: 'probe.single', priority: 'URGENT' });
    const { id } = await transactions.run(() => queue.submit(single, { key: 'behind' }));
    await queue.waitFor(single, id, WAIT);
    await until(async () => (await rows(pool, options.prefix)).some((it) => it.error !== null));
    expect((await rows(pool, options.prefix)).map(({ task, error }) => ({ task, error }))).toEqual([
      { task: 'of.another.version', error: null },
      { task: 'probe.single', error: 'It is not a task' },
    ]);
  });

  it('relays a task once, also when a relay died before it could delete it and the store forgot it', async () => {
    const { queue, probe, transactions, options, app, pool } = await start();
    const release = await holdRelays(setup(), options.prefix);
    const { id } = await transactions.run(() => queue.submit(single, { key: 'once' }));
    const [row] = await rows(pool, options.prefix);
    const relay = app.get(TaskStore).openRelay()!;
    // What a relay does before it is killed.
    await relay.take([{ marker: row!.id, task: { ...newTask(id), payload: row!.payload } }], () => true);
    await queue.waitFor(single, id, WAIT);
    await app.get(TaskStore).trim('completed', 1_000, 0);
    expect(await queue.explain(single, id)).toMatchObject({ reason: 'in-outbox' });
    await release();
    await until(async () => (await rows(pool, options.prefix)).length === 0);
    const last = await queue.submit(single, { key: 'last' }, { priority: 'BATCH' });
    await queue.waitFor(single, last.id, WAIT);
    expect(probe.callsOf('once')).toBe(1);
    await relay.close();
  });

  it('takes nothing from a relay that was held up, and nothing twice from two at once', async () => {
    const { queue, app } = await start({ worker: false });
    const relays = [app.get(TaskStore).openRelay()!, app.get(TaskStore).openRelay()!];
    const of = (id: string) => ({ marker: id, task: newTask(id) });
    await expect(relays[0]!.take([of('stale')], () => false)).rejects.toThrow();
    expect(await queue.status(single, 'stale')).toBeNull();
    const many = Array.from({ length: 50 }, (_, number) => of(`both-${number}`));
    const ends = await Promise.allSettled(relays.map((it) => it.take(many, () => true)));
    expect(ends.some((it) => it.status === 'fulfilled')).toBe(true);
    expect((await queue.stats()).pending).toBe(50);
    for (const relay of relays) await relay.close();
  });

  it('tells how much waits, for how long, and what was relayed', async () => {
    const { queue, transactions, options } = await start();
    const family = (name: string) => queue.collect().find((it) => it.name === name)?.samples[0]?.value;
    await transactions.run(() => queue.submit(single, { key: 'first' }));
    await until(() => family('task_outbox_relayed_total') === 1 && family('task_outbox_size') === 0);
    const release = await holdRelays(setup(), options.prefix);
    await transactions.run(() => queue.submit(single, { key: 'measured' }));
    await until(() => family('task_outbox_size') === 1 && (family('task_outbox_lag_seconds') ?? 0) > 0);
    await release();
    await until(() => family('task_outbox_relayed_total') === 2);
  });

  it('is looked at without being told', async () => {
    const { queue, transactions, options } = await start();
    // As after a kill between the commit and the first look.
    const task = newTask('untold');
    await transactions.run((client) => new OutboxTable(options.prefix).insert(client, [task]));
    await queue.waitFor(single, 'untold', WAIT);
  });
};

export function newTask(id: string): NewTask {
  const payload = JSON.stringify({ key: id });
  return { definition: single, id, payload, schemaVersion: 1, priority: 'NORMAL', delayMs: 0 };
}

/** Stands for another relay that is at work. @returns its end */
async function holdRelays({ databaseUrl }: TransactionsSetup, prefix: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  const table = new OutboxTable(prefix);
  await until(() => table.lock(client));
  await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
  return () => client.end();
}

interface Row {
  readonly id: string;
  readonly task: string;
  readonly payload: string;
  readonly error: string | null;
}

async function rows(pool: pg.Pool, prefix: string): Promise<Row[]> {
  const sql = 'SELECT id, task, payload, error FROM task_outbox WHERE queue = $1 ORDER BY position';
  return (await pool.query<Row>(sql, [prefix])).rows;
}

async function insertRow(
  pool: pg.Pool,
  prefix: string,
  row: { task: string; priority?: string },
): Promise<void> {
  await pool.query(
    `INSERT INTO task_outbox (id, queue, task, task_id, payload, schema_version, priority, delay_ms, submitted_at)
     VALUES (gen_random_uuid(), $1, $2, 'by-hand', '{"key":"x"}', 1, $3, 0, now())`,
    [prefix, row.task, row.priority ?? 'NORMAL'],
  );
}
