import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { cancelTask, TaskAlreadyEndedError, TaskCancelledError, TaskNotFoundError } from '../../src/index.js';
import { type ProbeApp, until, WAIT } from '../probe-app.js';
import { batched, patient, single } from '../probe-tasks.js';
import { type WorkerContext } from './workers.js';

const MANY = 10_000;

/** What holds in every mode. */
export function describeCancellation(main: () => ProbeApp): void {
  it('cancels what is delayed; it never runs, and its id stays taken', async () => {
    const { queue, probe } = main();
    const submit = () => queue.submit(single, { key: 'unwanted' }, { id: 'unwanted', delayMs: 100_000 });
    await submit();
    expect(await queue.cancel(single, 'unwanted', { reason: 'changed my mind' })).toBe('cancelled');
    await expect(queue.waitFor(single, 'unwanted', WAIT)).rejects.toThrow('was cancelled: changed my mind');
    await submit();
    const status = await queue.status(single, 'unwanted');
    expect(status).toMatchObject({ state: 'cancelled', cancelReason: 'changed my mind', attempts: 0 });
    expect(status).not.toHaveProperty('error');
    expect(probe.callsOf('unwanted')).toBe(0);
    await expect(queue.cancel(single, 'unwanted')).rejects.toThrow(TaskAlreadyEndedError);
  });

  it('cancels what runs, and does not try it again', async () => {
    const { queue, probe } = main();
    const reasons: unknown[] = [];
    probe.singles.set('endless', async ({ signal }) => {
      await once(signal, 'abort');
      reasons.push((signal.reason as { code: string }).code);
      throw new Error('noise of the abort');
    });
    const submitted = queue.submit(single, { key: 'endless' }, { id: 'endless' });
    await until(() => probe.callsOf('endless') === 1);
    expect(await queue.cancel(single, 'endless')).toBe('cancelling');
    await submitted;
    await expect(queue.waitFor(single, 'endless', WAIT)).rejects.toThrow(TaskCancelledError);
    expect(await queue.status(single, 'endless')).toMatchObject({ state: 'cancelled' });
    expect(reasons).toEqual(['TASK_QUEUE_CANCELLED']);
    expect(probe.callsOf('endless')).toBe(1);
  });

  it('cancels a task whose handler takes no notice, or ends well after all', async () => {
    const { queue, probe } = main();
    probe.singles.set('deaf', () => new Promise(() => undefined));
    probe.singles.set('good-after-all', ({ signal }) => once(signal, 'abort').then(() => 'done after all'));
    for (const id of ['deaf', 'good-after-all']) {
      const submitted = queue.submit(single, { key: id }, { id });
      await until(() => probe.callsOf(id) === 1);
      await queue.cancel(single, id);
      await submitted;
      await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow(TaskCancelledError);
    }
  });

  it('cancels a task that waits for another attempt', async () => {
    const { queue, probe } = main();
    probe.singles.set('fails once', () => Promise.reject(new Error('not yet')));
    const submitted = queue.submit(patient, { key: 'fails once' }, { id: 'fails-once' });
    await until(async () => (await queue.explain(patient, 'fails-once')).reason === 'retrying');
    expect(await queue.cancel(patient, 'fails-once')).toBe('cancelled');
    await submitted;
    await expect(queue.waitFor(patient, 'fails-once', WAIT)).rejects.toThrow(TaskCancelledError);
    expect(probe.callsOf('fails once')).toBe(1);
  });

  it('ends a task as cancelled when its handler says so, alone or in a batch', async () => {
    const { queue, probe } = main();
    probe.singles.set('pointless', () => Promise.resolve(cancelTask('nothing to do')));
    const { id } = await queue.submit(single, { key: 'pointless' });
    await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow('was cancelled: nothing to do');
    probe.onBatch = (items) =>
      Promise.resolve(
        items.map(({ payload }) => ({ ok: true, value: payload.number === 2 ? cancelTask('two') : 'kept' })),
      );
    const ids = await queue.submitBatch(batched, [{ number: 1 }, { number: 2 }]);
    expect(await queue.waitFor(batched, ids[0]!.id, WAIT)).toBe('kept');
    await expect(queue.waitFor(batched, ids[1]!.id, WAIT)).rejects.toThrow('was cancelled: two');
  });

  it('does not cancel what has ended, or what there is not', async () => {
    const { queue } = main();
    const { id } = await queue.submit(single, { key: 'over' });
    await queue.waitFor(single, id, WAIT);
    await expect(queue.cancel(single, id)).rejects.toThrow(TaskAlreadyEndedError);
    await expect(queue.cancel(single, 'never-was')).rejects.toThrow(TaskNotFoundError);
    expect(await queue.cancelMany(single, [id, 'never-was'])).toEqual(['ended', 'not-found']);
  });
}

/** What needs processes of their own. */
export function describeRemoteCancellation(context: () => WorkerContext): void {
  it('cancels ten thousand queued tasks, and runs none of them', async () => {
    const { start } = context();
    const { queue } = await start({ prefix: 'masses' });
    const numbers = Array.from({ length: MANY }, () => ({ key: 'many' }));
    const ids = (await queue.submitBatch(single, numbers)).map(({ id }) => id);
    const kept = await queue.submit(single, { key: 'kept' }, { priority: 'BATCH' });
    const outcomes = await queue.cancelMany(single, ids);
    expect(outcomes.filter((it) => it === 'cancelled')).toHaveLength(MANY);
    expect(await queue.stats()).toMatchObject({ cancelled: MANY, pending: 1 });
    const { probe } = await start({ prefix: 'masses', worker: { concurrency: 1 }, tasks: [single] });
    await queue.waitFor(single, kept.id, WAIT);
    expect(probe.callsOf('many')).toBe(0);
  });

  it('cancels what runs in another process, also when its worker dies meanwhile', async () => {
    const { store, start } = context();
    const caller = await start({ prefix: 'remote' });
    const worker = { concurrency: 1, lockDurationMs: 20_000, stalledIntervalMs: 100 };
    const { queue, probe } = await start({ prefix: 'remote', worker, tasks: [single] });
    probe.singles.set('afar', async ({ signal }) => {
      await once(signal, 'abort');
      return 'first run';
    });
    const { id } = await caller.queue.submit(single, { key: 'afar' });
    await until(() => probe.callsOf('afar') === 1);
    expect(await caller.queue.cancel(single, id)).toBe('cancelling');
    await store.stealLock(`${store.prefix}.remote`, `probe.single/${id}`);
    await expect(caller.queue.waitFor(single, id, WAIT)).rejects.toThrow(TaskCancelledError);
    expect(probe.callsOf('afar')).toBe(1);
    await until(async () => (await queue.stats()).cancelled === 1);
    expect(await queue.stats()).toMatchObject({ completed: 0, failed: 0, retries: 0 });
  });
}
