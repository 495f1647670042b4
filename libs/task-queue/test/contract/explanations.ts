import { expect, it } from '@jest/globals';
import { defineTask, PermanentTaskError, retryAfter } from '../../src/index.js';
import { TICK_MS } from '../../src/queue/task-deadlines.js';
import { gate, until, WAIT } from '../probe-app.js';
import { patient, single } from '../probe-tasks.js';
import { type WorkerContext } from './workers.js';

const ONE_AT_A_TIME = { concurrency: 1 };

export function describeExplanations(context: () => WorkerContext): void {
  it('explains why a task waits, is delayed, or is not there', async () => {
    const { start } = context();
    const { queue } = await start({ prefix: 'why-waiting' });
    await queue.submitBatch(single, [{ key: 'a' }, { key: 'b' }], { priority: 'CRITICAL' });
    const before = Date.now();
    const { id } = await queue.submit(single, { key: 'c' }, { priority: 'HIGH' });
    const after = Date.now();
    const waiting = await queue.explain(single, id);
    expect(waiting).toMatchObject({ id, task: single.name, reason: 'waiting', priority: 'HIGH', ahead: 2 });
    // Three quarters of what the class promises, in whole ticks.
    const planned = waiting.deadline!.getTime();
    expect(planned).toBeGreaterThanOrEqual(before + 1_500 - 2 * TICK_MS);
    expect(planned).toBeLessThanOrEqual(after + 1_500);
    const delayed = await queue.submit(single, { key: 'd' }, { delayMs: 60_000 });
    const { reason, until: due } = await queue.explain(single, delayed.id);
    expect(reason).toBe('delayed');
    expect(due!.getTime()).toBeGreaterThanOrEqual(before + 60_000);
    expect(await queue.explain(single, 'nobody')).toMatchObject({ reason: 'not-kept' });
    await queue.pause();
    expect(await queue.explain(single, id)).toMatchObject({ reason: 'paused' });
  });

  it('explains who runs a task, and how it ended', async () => {
    const { store, start } = context();
    // Nobody takes the stalled task over while it is looked at.
    const worker = { ...ONE_AT_A_TIME, stalledIntervalMs: 60_000 };
    const { queue, probe } = await start({ prefix: 'why-running', worker, tasks: [single] });
    const { opened, open } = gate();
    probe.singles.set('runs', () => opened);
    const { id } = await queue.submit(single, { key: 'runs' });
    await until(() => probe.callsOf('runs') === 1);
    const running = await queue.explain(single, id);
    expect(running).toMatchObject({ reason: 'running' });
    expect(running.worker).toContain(`:${process.pid}`);
    expect(running.since).toBeInstanceOf(Date);
    await store.stealLock(`${store.prefix}.why-running`, `probe.single/${id}`);
    await until(async () => (await queue.explain(single, id)).reason === 'stalled');
    open();
    const ended = await queue.submit(single, { key: 'ends' });
    await queue.waitFor(single, ended.id, WAIT);
    expect(await queue.explain(single, ended.id)).toMatchObject({ reason: 'completed' });
  });

  it('explains what failed, for now or for good, and what was cancelled', async () => {
    const { start } = context();
    const { queue, probe } = await start({ prefix: 'why-failed', worker: ONE_AT_A_TIME });
    probe.singles.set('fails once', () => Promise.reject(new Error('not yet')));
    const again = await queue.submit(patient, { key: 'fails once' });
    await until(async () => (await queue.explain(patient, again.id)).reason === 'retrying');
    expect(await queue.explain(patient, again.id)).toMatchObject({ error: 'not yet' });
    const { id } = await queue.submit(single, { key: 'fails' });
    probe.singles.set('fails', () => Promise.reject(new PermanentTaskError('broken')));
    await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow('broken');
    expect(await queue.explain(single, id)).toMatchObject({ reason: 'failed', error: 'broken' });
    probe.singles.set('comes back', () => Promise.resolve(retryAfter(60_000)));
    const back = await queue.submit(single, { key: 'comes back' });
    await until(async () => (await queue.explain(single, back.id)).reason === 'retry-after');
    await queue.cancel(single, back.id, { reason: 'enough' });
    expect(await queue.explain(single, back.id)).toMatchObject({
      reason: 'cancelled',
      text: 'It was cancelled: enough',
    });
  });

  it('explains that a task was put off, also after an attempt of it failed, and that it failed after it was put off', async () => {
    const { start } = context();
    const { queue, probe } = await start({ prefix: 'why-again', worker: ONE_AT_A_TIME });
    probe.singles.set('fails, then comes back', ({ attempt }) =>
      attempt === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(retryAfter(60_000)),
    );
    const back = await queue.submit(single, { key: 'fails, then comes back' });
    await until(async () => (await queue.explain(single, back.id)).reason === 'retry-after');
    let calls = 0;
    probe.singles.set('comes back, then fails', () =>
      calls++ === 0 ? Promise.resolve(retryAfter(10)) : Promise.reject(new Error('not yet')),
    );
    const fails = await queue.submit(patient, { key: 'comes back, then fails' });
    await until(async () => (await queue.explain(patient, fails.id)).reason === 'retrying');
  });

  it('explains that no worker knows the task, or so new a payload', async () => {
    const { start } = context();
    const newer = defineTask({ name: 'probe.newer', payload: single.payload });
    const second = defineTask({
      name: single.name,
      version: 2,
      upgrades: { 1: (old) => old },
      payload: single.payload,
    });
    const { queue } = await start({ prefix: 'why-unknown', tasks: [newer, second] }, []);
    const { probe } = await start({ prefix: 'why-unknown', worker: ONE_AT_A_TIME, tasks: [single] });
    const unknown = await queue.submit(newer, { key: 'x' });
    const tooNew = await queue.submit(second, { key: 'x' });
    await until(async () => (await queue.explain(newer, unknown.id)).reason === 'unknown-task');
    await until(async () => (await queue.explain(second, tooNew.id)).reason === 'newer-version');
    await until(async () => (await queue.status(second, tooNew.id))?.state === 'delayed');
    expect(await queue.status(second, tooNew.id)).toMatchObject({ attempts: 0 });
    expect(probe.calls).toEqual([]);
  });
}
