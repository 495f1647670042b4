import { expect, it } from '@jest/globals';
import { TaskNotFinishedError, TaskNotFoundError, TaskWaitTimeoutError } from '../../src/index.js';
import { gate, type ProbeApp, until, WAIT } from '../probe-app.js';
import { single } from '../probe-tasks.js';

export function describeResults(main: () => ProbeApp): void {
  it('runs a task and keeps its result', async () => {
    const { queue } = main();
    const { id } = await queue.submit(single, { key: 'hello', note: 'done' });
    expect(await queue.waitFor(single, id, WAIT)).toBe('done');
    expect(await queue.result(single, id)).toBe('done');
    expect(await queue.status(single, id)).toMatchObject({
      id,
      task: 'probe.single',
      state: 'completed',
      attempts: 1,
      maxAttempts: 3,
    });
  });

  it.each([
    ['nothing', undefined, null],
    ['an object', { a: [1, null, 'x'] }, { a: [1, null, 'x'] }],
    ['text that PostgreSQL refuses', 'nul \0 and half \ud800', 'nul \0 and half \ud800'],
    ['false', false, false],
    ['zero', 0, 0],
  ])('gives back %s as it was returned', async (kind, value, expected) => {
    const { queue, probe } = main();
    probe.singles.set(`returns ${kind}`, () => Promise.resolve(value));
    const { id } = await queue.submit(single, { key: `returns ${kind}`, note: 'nul \0 and half \ud800' });
    expect(await queue.waitFor(single, id, WAIT)).toEqual(expected);
  });

  it('shows progress while the task runs, and takes log lines at once', async () => {
    const { queue, probe } = main();
    const { opened, open } = gate();
    probe.singles.set('reporting', async ({ progress, log }) => {
      await Promise.all(Array.from({ length: 8 }, (_, line) => log(`line ${line} \0`)));
      await progress({ percent: 50, of: 'pages \0' });
      await opened;
    });
    const submitted = queue.submit(single, { key: 'reporting' }, { id: 'reporting' });
    await until(async () => (await queue.status(single, 'reporting'))?.progress != null);
    expect(await queue.status(single, 'reporting')).toMatchObject({
      state: 'running',
      progress: { percent: 50, of: 'pages \0' },
    });
    await expect(queue.result(single, 'reporting')).rejects.toThrow(TaskNotFinishedError);
    await expect(queue.waitFor(single, 'reporting', { timeoutMs: 30 })).rejects.toThrow(TaskWaitTimeoutError);
    open();
    await submitted;
    await queue.waitFor(single, 'reporting', WAIT);
  });

  it('says that a task has ended when it says when, and the other way round', async () => {
    const { queue } = main();
    const ids = Array.from({ length: 40 }, (_, i) => `seen-${i}`);
    await Promise.all(ids.map((id) => queue.submit(single, { key: 'seen' }, { id })));
    for (let open = ids; open.length > 0;) {
      const statuses = await Promise.all(open.map((id) => queue.status(single, id)));
      const hasEnded = statuses.map((it) => it?.state === 'completed' || it?.state === 'failed');
      expect(statuses.map((it) => it?.finishedAt !== undefined)).toEqual(hasEnded);
      open = open.filter((_, i) => !hasEnded[i]);
    }
  });

  it('stops waiting when the caller does', async () => {
    const reason = new Error('the caller left');
    const signal = AbortSignal.abort(reason);
    const waiting = main().queue.waitFor(single, 'never', { timeoutMs: 60_000, signal });
    await expect(waiting).rejects.toBe(reason);
  });

  it('runs a delayed task later', async () => {
    const { queue, probe } = main();
    const much = await queue.submit(single, { key: 'much later' }, { delayMs: 3_600_000 });
    const { id } = await queue.submit(single, { key: 'late' }, { delayMs: 300.7 });
    await queue.waitFor(single, id, WAIT);
    const status = await queue.status(single, id);
    expect(status!.finishedAt!.getTime() - status!.submittedAt.getTime()).toBeGreaterThanOrEqual(299);
    expect(await queue.status(single, much.id)).toMatchObject({ state: 'delayed' });
    expect(probe.callsOf('much later')).toBe(0);
  });

  it('knows nothing of an id that was never submitted', async () => {
    const { queue } = main();
    expect(await queue.status(single, 'unheard-of')).toBeNull();
    await expect(queue.result(single, 'unheard-of')).rejects.toThrow(TaskNotFoundError);
    await expect(queue.waitFor(single, 'unheard-of', WAIT)).rejects.toThrow(TaskNotFoundError);
  });
}
