import { expect, it } from '@jest/globals';
import { type DrainProgress, TaskQueueHealthIndicator } from '../../src/index.js';
import { gate, until } from '../probe-app.js';
import { patient, single } from '../probe-tasks.js';
import { type WorkerContext } from './workers.js';

export function describeOperations(context: () => WorkerContext): void {
  it('drains: waits for what waits, runs and is due soon, and tells how far it is', async () => {
    const { start } = context();
    const { queue } = await start({ prefix: 'drained' });
    await queue.submitBatch(
      single,
      Array.from({ length: 30 }, (_, index) => ({ key: `drained-${index}` })),
    );
    await queue.submit(single, { key: 'soon' }, { delayMs: 1_000 });
    await queue.submit(single, { key: 'next month' }, { delayMs: 2_592_000_000 });
    const { queue: worker, probe } = await start({ prefix: 'drained', worker: true });
    probe.singles.set('drained-7', () => Promise.reject(new Error('not this one')));
    const looks: DrainProgress[] = [];
    const end = await worker.drain({ onProgress: (it) => looks.push(it) });
    const idle = { waiting: 0, running: 0, delayed: 1, isPaused: false };
    expect(end).toEqual({ completed: 30, failed: 1, cancelled: 0, ...idle });
    expect(looks.at(-1)).toEqual(end);
    const ended = looks.map((it) => it.completed + it.failed);
    expect(ended).toEqual(ended.toSorted((a, b) => a - b));
  });

  it('ends a drain at the signal, and says when the queue is paused', async () => {
    const { start } = context();
    const { queue, probe } = await start({ prefix: 'drain-ended', worker: true });
    const { opened, open } = gate();
    probe.singles.set('endless', () => opened);
    await queue.submit(single, { key: 'endless' });
    await until(() => probe.callsOf('endless') === 1);
    await queue.pause();
    const reason = new Error('enough');
    const stop = new AbortController();
    const paused: boolean[] = [];
    const drain = queue.drain({
      signal: stop.signal,
      onProgress: ({ isPaused }) => {
        paused.push(isPaused);
        stop.abort(reason);
      },
    });
    await expect(drain).rejects.toBe(reason);
    expect(paused).toEqual([true]);
    open();
  });

  it('is unhealthy while it is paused, or tasks wait for much longer than promised', async () => {
    const { start } = context();
    const { app, queue } = await start({ prefix: 'health' });
    const health = app.get(TaskQueueHealthIndicator);
    const check = health.check({ maxOverdueMs: 0 });
    await expect(check.check()).resolves.toBeUndefined();
    await queue.pause();
    await expect(check.check()).rejects.toThrow('the queue is paused');
    expect(await health.isHealthy()).toMatchObject({ 'task-queue': { status: 'up', paused: true } });
    await queue.resume();
    await queue.submit(single, { key: 'late' }, { priority: 'CRITICAL' });
    await until(async () => ((await health.isHealthy())['task-queue'].overdueMs ?? 0) > 0);
    await expect(check.check()).rejects.toThrow('too few workers, or none');
    expect(await health.isHealthy('queue', { required: true, maxOverdueMs: 0 })).toMatchObject({
      queue: { status: 'down', store: 'available', worker: 'none' },
    });
    await expect(health.check().check()).resolves.toBeUndefined();
    await start({ prefix: 'health', worker: true });
    await until(async () => (await check.check().catch(() => false)) === undefined);
  });

  it('counts over all processes, also what they counted last', async () => {
    const { start } = context();
    const { queue } = await start({ prefix: 'totals' });
    const zeros = { submitted: 0, completed: 0, failed: 0, cancelled: 0, batchesProcessed: 0 };
    expect(await queue.totals()).toMatchObject({ ...zeros, successRate: 1 });
    await queue.submitBatch(single, [{ key: 'a' }, { key: 'b' }]);
    const { app, probe } = await start({ prefix: 'totals', worker: true });
    probe.singles.set('b', () => Promise.reject(new Error('not this one')));
    await queue.drain();
    const done = {
      retries: 2,
      ...zeros,
      submitted: 2,
      completed: 1,
      failed: 1,
      successRate: 0.5,
      pending: 0,
      running: 0,
    };
    await until(async () => (await queue.totals()).failed === 1);
    expect(await queue.totals()).toMatchObject(done);
    const { opened, open } = gate();
    probe.singles.set('slow', () => opened);
    await queue.submit(single, { key: 'slow' });
    await until(() => probe.callsOf('slow') === 1);
    const closed = app.close();
    open();
    await closed;
    expect(await queue.totals()).toMatchObject({ ...zeros, submitted: 3, completed: 2, failed: 1 });
    expect((await queue.stats()).completed).toBe(0);
  });

  it('knows its definitions by name', async () => {
    const { start } = context();
    const { queue } = await start({ prefix: 'names', tasks: [single, patient] });
    expect(queue.definitions()).toEqual([single, patient]);
    expect(queue.definition(patient.name)).toBe(patient);
    expect(queue.definition('constructor')).toBeUndefined();
  });
}
