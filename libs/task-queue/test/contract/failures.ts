import { expect, it } from '@jest/globals';
import {
  defineTask,
  InvalidPayloadError,
  InvalidTaskIdError,
  PermanentTaskError,
  TaskFailedError,
  UnknownTaskError,
} from '../../src/index.js';
import { type ProbeApp, WAIT } from '../probe-app.js';
import { hasty, single } from '../probe-tasks.js';

export function describeFailures(main: () => ProbeApp): void {
  it('refuses a payload that does not fit, and enqueues nothing', async () => {
    const { queue } = main();
    await expect(queue.submit(single, { key: '' }, { id: 'bad-payload' })).rejects.toThrow(
      InvalidPayloadError,
    );
    const batch = [{ payload: { key: 'fits' }, id: 'fits' }, { key: 7 as unknown as string }];
    await expect(queue.submitBatch(single, batch)).rejects.toThrow('probe.single is not valid: key');
    expect(await queue.status(single, 'bad-payload')).toBeNull();
    expect(await queue.status(single, 'fits')).toBeNull();
  });

  it.each(['', 'a:b', 'a/b', 'ü', 'x'.repeat(201)])('refuses the id %j', async (id) => {
    await expect(main().queue.submit(single, { key: 'x' }, { id })).rejects.toThrow(InvalidTaskIdError);
  });

  it('takes a bare integer as an id', async () => {
    const { id } = await main().queue.submit(single, { key: 'int', note: 'fine' }, { id: '42' });
    expect(await main().queue.waitFor(single, id, WAIT)).toBe('fine');
  });

  it('refuses a task that the module was not told of', async () => {
    const stranger = defineTask({ name: 'probe.stranger', payload: single.payload });
    await expect(main().queue.submit(stranger, { key: 'x' })).rejects.toThrow(UnknownTaskError);
  });

  it('tries a failed task again until it succeeds', async () => {
    const { queue, probe } = main();
    probe.singles.set('third time', ({ attempt }) =>
      attempt < 3 ? Promise.reject(new Error(`attempt ${attempt}`)) : Promise.resolve(attempt),
    );
    const { id } = await queue.submit(single, { key: 'third time' });
    expect(await queue.waitFor(single, id, WAIT)).toBe(3);
    const status = await queue.status(single, id);
    expect(status).toMatchObject({ state: 'completed', attempts: 3 });
    expect(status).not.toHaveProperty('error');
  });

  it('fails a task for good when its attempts are used up', async () => {
    const { queue, probe } = main();
    probe.singles.set('never', () => Promise.reject(new Error('broken \0 for ever')));
    const { id } = await queue.submit(single, { key: 'never' });
    await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow('broken \uFFFD for ever');
    expect(await queue.status(single, id)).toMatchObject({ state: 'failed', attempts: 3 });
    expect(probe.callsOf('never')).toBe(3);
  });

  it.each([
    ['a permanent error', () => Promise.reject(new PermanentTaskError('pointless'))],
    ['a result that is not JSON', () => Promise.resolve(1n)],
  ])('does not try again after %s', async (kind, behaviour) => {
    const { queue, probe } = main();
    probe.singles.set(kind, behaviour);
    const { id } = await queue.submit(single, { key: kind });
    await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow(TaskFailedError);
    expect(probe.callsOf(kind)).toBe(1);
  });

  it('takes whatever a handler throws', async () => {
    const { queue, probe } = main();
    const thrown: unknown = 'just text';
    probe.singles.set('throws text', () => {
      throw thrown;
    });
    const { id } = await queue.submit(single, { key: 'throws text' });
    await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow('just text');
  });

  it('aborts an attempt whose time is up, even when the handler takes no notice', async () => {
    const { queue, probe } = main();
    const reasons: unknown[] = [];
    probe.singles.set('slow', ({ signal }) => {
      signal.addEventListener('abort', () => reasons.push((signal.reason as Error).message));
      return new Promise(() => undefined);
    });
    const { id } = await queue.submit(hasty, { key: 'slow' });
    await expect(queue.waitFor(hasty, id, WAIT)).rejects.toThrow('took longer than 50 ms');
    expect(reasons).toEqual(Array(2).fill('An attempt of probe.hasty took longer than 50 ms'));
  });
}
