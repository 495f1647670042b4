import { expect, it } from '@jest/globals';
import { InvalidPayloadError, InvalidSubmissionError, retryAfter } from '../../src/index.js';
import { gate, type ProbeApp, until, WAIT } from '../probe-app.js';
import { batched, hasty, single, unique, windowed } from '../probe-tasks.js';

/** Every way to submit, in every mode. */
export function describeSubmissions(main: () => ProbeApp): void {
  it('submits tasks of several kinds, each with its own options', async () => {
    const { queue, probe } = main();
    probe.onBatch = (items) => Promise.resolve(items.map(() => ({ ok: true, value: null })));
    const [first, second, third] = await queue.submitMany([
      { definition: single, payload: { key: 'a', note: 'A' }, id: 'many-a' },
      { definition: batched, payload: { number: 7 }, priority: 'HIGH' },
      { definition: hasty, payload: { key: 'c', note: 'C' }, idempotencyKey: 'order:7/ü' },
    ]);
    expect(first).toEqual({ id: 'many-a' });
    expect(await queue.waitFor(single, 'many-a', WAIT)).toBe('A');
    expect(await queue.waitFor(hasty, third!.id, WAIT)).toBe('C');
    await queue.waitFor(batched, second!.id, WAIT);
    expect(await queue.status(batched, second!.id)).toMatchObject({ priority: 'HIGH' });
  });

  it('enqueues none of them when one is not valid', async () => {
    const { queue } = main();
    const submitted = queue.submitMany([
      { definition: single, payload: { key: 'fits' }, id: 'none-of-them' },
      { definition: batched, payload: { number: 0.5 } },
    ]);
    await expect(submitted).rejects.toThrow(InvalidPayloadError);
    expect(await queue.status(single, 'none-of-them')).toBeNull();
  });

  it('takes any text as an idempotency key, and runs it once', async () => {
    const { queue, probe } = main();
    const submit = () => queue.submit(single, { key: 'idem' }, { idempotencyKey: 'user:1 pays "5 €"' });
    const { id } = await submit();
    await queue.waitFor(single, id, WAIT);
    expect(await submit()).toEqual({ id });
    expect(probe.callsOf('idem')).toBe(1);
  });

  it('answers with the task that is there while one with the same key has not ended', async () => {
    const { queue, probe } = main();
    const { opened, open } = gate();
    probe.singles.set('dup', () => opened);
    const running = queue.submit(unique, { key: 'dup' }, { id: 'dup-1' });
    await until(() => probe.callsOf('dup') === 1);
    expect(await queue.submit(unique, { key: 'dup' }, { id: 'dup-2' })).toEqual({ id: 'dup-1' });
    expect(await queue.submitBatch(unique, [{ key: 'dup' }])).toEqual([{ id: 'dup-1' }]);
    open();
    await running;
    await queue.waitFor(unique, 'dup-1', WAIT);
    expect(await queue.submit(unique, { key: 'dup' }, { id: 'dup-3' })).toEqual({ id: 'dup-3' });
    await queue.waitFor(unique, 'dup-3', WAIT);
    expect(probe.callsOf('dup')).toBe(2);
  });

  it('lets the id of a task that has ended hold no key of others', async () => {
    const { queue } = main();
    const submit = (id: string) => queue.submit(unique, { key: 'again' }, { id });
    await submit('again-1');
    await queue.waitFor(unique, 'again-1', WAIT);
    expect(await submit('again-1')).toEqual({ id: 'again-1' });
    expect(await queue.submitBatch(unique, [{ payload: { key: 'again' }, id: 'again-1' }])).toEqual([
      { id: 'again-1' },
    ]);
    expect(await submit('again-2')).toEqual({ id: 'again-2' });
    await queue.waitFor(unique, 'again-2', WAIT);
  });

  it('answers with the task that was there within the window of its key', async () => {
    const { queue } = main();
    const submit = (id: string, key: string) => queue.submit(windowed, { key }, { id });
    await submit('win-1', 'win');
    await queue.waitFor(windowed, 'win-1', WAIT);
    expect(await submit('win-2', 'win')).toEqual({ id: 'win-1' });
    expect(await submit('win-3', 'another')).toEqual({ id: 'win-3' });
    await queue.waitFor(windowed, 'win-3', WAIT);
  });

  it('runs a task at a time, and one of the past at once', async () => {
    const { queue } = main();
    const runAt = new Date(Date.now() + 300);
    const later = await queue.submit(single, { key: 'then' }, { runAt });
    const inAnHour = new Date(Date.now() + 3_600_000);
    const much = await queue.submit(single, { key: 'in an hour' }, { runAt: inAnHour });
    expect(await queue.status(single, much.id)).toMatchObject({ state: 'delayed' });
    const past = await queue.submit(single, { key: 'past', note: 'ran' }, { runAt: new Date(0) });
    expect(await queue.waitFor(single, past.id, WAIT)).toBe('ran');
    await queue.waitFor(single, later.id, WAIT);
    const { startedAt } = (await queue.status(single, later.id))!;
    expect(startedAt!.getTime()).toBeGreaterThanOrEqual(runAt.getTime() - 1);
  });

  it.each([
    ['an id and a key', { id: 'a', idempotencyKey: 'b' }],
    ['an empty key', { idempotencyKey: '' }],
    ['a negative delay', { delayMs: -1 }],
    ['a delay that is no number', { delayMs: NaN }],
    ['two times', { delayMs: 1, runAt: new Date() }],
    ['a date that is none', { runAt: new Date(NaN) }],
    ['an unknown priority', { priority: 'URGENT' as 'HIGH' }],
  ])('refuses %s', async (_problem, options) => {
    await expect(main().queue.submit(single, { key: 'x' }, options)).rejects.toThrow(InvalidSubmissionError);
  });

  it('runs a task again when its handler asks to, at no cost of an attempt, with a higher fence', async () => {
    const { queue, probe } = main();
    const fences: number[] = [];
    probe.singles.set('later please', ({ fence }) => {
      fences.push(fence);
      return Promise.resolve(fences.length < 3 ? retryAfter(10) : 'now');
    });
    const { id } = await queue.submit(single, { key: 'later please' });
    expect(await queue.waitFor(single, id, WAIT)).toBe('now');
    expect(await queue.status(single, id)).toMatchObject({ attempts: 1 });
    expect(fences).toHaveLength(3);
    // A claim that was given back before the task ran has a fence too, so there may be gaps.
    expect(fences.every((fence, index) => index === 0 || fence > (fences[index - 1] ?? 0))).toBe(true);
    expect(probe.calls.filter((it) => it.key === 'later please').map((it) => it.attempt)).toEqual([1, 1, 1]);
  });
}

export function describePause(start: () => Promise<ProbeApp>): void {
  it('begins nothing while it is paused', async () => {
    const { queue, probe } = await start();
    await queue.pause();
    const submitted = queue.submit(single, { key: 'held' }, { id: 'held' });
    await until(async () => (await queue.explain(single, 'held')).reason === 'paused');
    expect(await queue.stats()).toMatchObject({ pending: 1, running: 0 });
    expect(probe.callsOf('held')).toBe(0);
    await queue.resume();
    await submitted;
    await queue.waitFor(single, 'held', WAIT);
    expect(await queue.explain(single, 'held')).toMatchObject({ reason: 'completed' });
  });
}
