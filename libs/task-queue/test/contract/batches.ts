import { expect, it } from '@jest/globals';
import { PermanentTaskError } from '../../src/index.js';
import { type ProbeApp, WAIT } from '../probe-app.js';
import { batched, gathered } from '../probe-tasks.js';

export function describeBatches(main: () => ProbeApp): void {
  const numbers = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ number: from + index }));

  it('handles 30 tasks in three calls of 10, however slowly they come', async () => {
    const { queue, probe } = main();
    const ids = await queue.submitBatch(gathered, numbers(100, 30));
    const values = await Promise.all(ids.map(({ id }) => queue.waitFor(gathered, id, WAIT)));
    expect(values).toEqual(numbers(100, 30).map((it) => it.number * 2));
    expect(probe.gathered).toEqual([10, 10, 10]);
  });

  it('handles what does not fill a batch when its wait is over', async () => {
    const { queue, probe } = main();
    const sizes: number[] = [];
    probe.onBatch = (items) => {
      sizes.push(items.length);
      return Promise.resolve(items.map(({ payload }) => ({ ok: true, value: payload.number })));
    };
    const ids = await queue.submitBatch(batched, numbers(150, 5));
    for (const { id } of ids) await queue.waitFor(batched, id, WAIT);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5);
  });

  it('tries again only the item of a batch that failed', async () => {
    const { queue, probe } = main();
    const runs = new Map<number, number>();
    probe.onBatch = (items) => {
      const results = items.map(({ payload, ctx }) => {
        runs.set(payload.number, (runs.get(payload.number) ?? 0) + 1);
        return payload.number === 203 && ctx.attempt === 1
          ? { ok: false as const, error: new Error('one bad item') }
          : { ok: true as const, value: payload.number };
      });
      return Promise.resolve(results);
    };
    const ids = await queue.submitBatch(batched, numbers(200, 10));
    await Promise.all(ids.map(({ id }) => queue.waitFor(batched, id, WAIT)));
    expect([...runs.entries()].filter(([, count]) => count > 1)).toEqual([[203, 2]]);
  });

  it('fails one item of a batch for good and completes the others', async () => {
    const { queue, probe } = main();
    probe.onBatch = (items) =>
      Promise.resolve(
        items.map(({ payload }) =>
          payload.number === 301
            ? { ok: false, error: new PermanentTaskError('rotten') }
            : { ok: true, value: 'ok' },
        ),
      );
    const [good, bad] = await queue.submitBatch(batched, numbers(300, 2));
    await expect(queue.waitFor(batched, bad!.id, WAIT)).rejects.toThrow('rotten');
    expect(await queue.status(batched, bad!.id)).toMatchObject({ attempts: 1 });
    expect(await queue.waitFor(batched, good!.id, WAIT)).toBe('ok');
  });

  it.each([
    ['too few results', 'answered 0 results for 1 items'],
    ['a malformed result', 'answered something that is no result for an item'],
  ])('fails the attempt on %s', async (kind, message) => {
    const { queue, probe } = main();
    const answer = kind === 'too few results' ? [] : [{ value: 1 } as never];
    probe.onBatch = () => Promise.resolve(answer);
    const [task] = await queue.submitBatch(batched, numbers(400, 1));
    await expect(queue.waitFor(batched, task!.id, WAIT)).rejects.toThrow(message);
  });
}
