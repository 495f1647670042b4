import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, jest } from '@jest/globals';
import { type TaskPriority } from '../../src/index.js';
import { TaskDeadlines, TICK_MS } from '../../src/queue/task-deadlines.js';
import { TaskStore } from '../../src/queue/task-store.js';
import { BACKLOG, Flood, LOWER_CLASSES } from '../flood.js';
import { gate, until, WAIT } from '../probe-app.js';
import { single } from '../probe-tasks.js';
import { type WorkerContext } from './workers.js';

const ONE_AT_A_TIME = { concurrency: 1 };
const priorities = {
  CRITICAL: { maxWaitMs: 1_000 },
  HIGH: { maxWaitMs: 4_000 },
  NORMAL: { maxWaitMs: 5_500 },
  LOW: { maxWaitMs: 7_000 },
  BATCH: { maxWaitMs: 8_500 },
};
/** A window of the numbers, in ticks. */
const WINDOW = 2 ** 20;

/** How the order of the tasks follows from what their classes promise. */
export function describeDeadlines(context: () => WorkerContext): void {
  it('starves no class under an endless flood of the most urgent one, and keeps what it promises', async () => {
    const { start } = context();
    const caller = await start({ prefix: 'flood', priorities });
    const options = { prefix: 'flood', priorities, worker: ONE_AT_A_TIME, tasks: [single] };
    const flood = new Flood(caller, await Promise.all([start(options), start(options)]));
    const flooding = flood.run();
    await until(() => flood.calls.length > BACKLOG);
    const from = Date.now();
    const lower = LOWER_CLASSES.map((priority) => ({
      definition: single,
      payload: { key: priority },
      priority,
    }));
    const submitted = await caller.queue.submitMany(lower);
    const to = Date.now();
    // It goes on until every class has had its turn.
    for (const { id } of submitted) await caller.queue.waitFor(single, id, WAIT);
    flood.stop();
    await flooding;
    for (const { id } of submitted) flood.expectTurn((await caller.queue.status(single, id))!, from, to);
    const turns = LOWER_CLASSES.map((priority) => flood.turns.get(priority));
    expect(turns).toEqual([...turns].sort((a, b) => a! - b!));
  });

  it('runs a task whose worker died in the order of its class', async () => {
    const { store, start } = context();
    const options = { prefix: 'stalling', tasks: [single], closeTimeoutMs: 50 };
    const settings = { concurrency: 1, stalledIntervalMs: 100 };
    // It never comes back to its task, and takes no other.
    const dying = await start({ ...options, worker: settings });
    dying.probe.singles.set('patient', () => new Promise(() => undefined));
    const { id } = await dying.queue.submit(single, { key: 'patient' }, { priority: 'BATCH' });
    await until(() => dying.probe.callsOf('patient') === 1);
    await store.stealLock(`${store.prefix}.stalling`, `probe.single/${id}`);
    await until(async () => (await dying.queue.status(single, id))?.state === 'waiting');
    const urgent = ['a', 'b', 'c'].map((key) => ({ key }));
    await dying.queue.submitBatch(single, urgent, { priority: 'CRITICAL' });
    const { queue, probe } = await start({ ...options, worker: settings });
    probe.singles.set('patient', ({ fence }) => Promise.resolve(fence));
    expect(await queue.waitFor<number>(single, id, WAIT)).toBe(2);
    expect(probe.calls.map((it) => it.key)).toEqual(['a', 'b', 'c', 'patient']);
  });

  it('keeps the order over the end of a window', async () => {
    const { start } = context();
    const caller = await start({ prefix: 'window' });
    const end = Math.ceil(Date.now() / TICK_MS / WINDOW) * WINDOW * TICK_MS;
    const submitAt = async (key: string, at: number, priority: TaskPriority) => {
      const clock = jest.spyOn(Date, 'now').mockReturnValue(at);
      try {
        return await caller.queue.submit(single, { key }, { priority });
      } finally {
        clock.mockRestore();
      }
    };
    const ids = [
      await submitAt('before, patient', end - 60_000, 'BATCH'),
      await submitAt('before, urgent', end - 1_000, 'CRITICAL'),
      await submitAt('after, urgent', end + 1_000, 'CRITICAL'),
      await submitAt('after, patient', end + 1_000, 'NORMAL'),
    ];
    const deadlines = new TaskDeadlines(caller.options.priorities);
    const store = caller.app.get(TaskStore);
    expect(await store.rebase(deadlines.rebase(end + 1_000))).toBe(2);
    expect(await store.rebase(deadlines.rebase(end + 1_000))).toBe(0);
    const { probe } = await start({ prefix: 'window', worker: ONE_AT_A_TIME, tasks: [single] });
    for (const { id } of ids) await caller.queue.waitFor(single, id, WAIT);
    expect(probe.calls.map((it) => it.key)).toEqual([
      'before, urgent',
      'after, urgent',
      'after, patient',
      'before, patient',
    ]);
  });

  it('gives a task that is tried again a deadline of its own', async () => {
    const { start } = context();
    const { queue, probe } = await start({ prefix: 'again', worker: ONE_AT_A_TIME, tasks: [single] });
    const { opened, open } = gate();
    probe.singles.set('fails', async ({ attempt }) => {
      await opened;
      if (attempt === 1) throw new Error('once');
    });
    probe.singles.set('holds', () => sleep(100));
    const failing = await queue.submit(single, { key: 'fails' });
    await until(() => probe.callsOf('fails') === 1);
    const later = Date.now() + 3 * TICK_MS;
    await until(() => Date.now() > later);
    const rest = await queue.submitBatch(single, [{ key: 'holds' }, { key: 'new' }]);
    open();
    for (const { id } of [failing, ...rest]) await queue.waitFor(single, id, WAIT);
    expect(probe.calls.at(-1)).toEqual({ key: 'fails', attempt: 2 });
  });
}
