import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { BatchProcessor, type BatchSource } from '../src/index.js';

jest.setTimeout(120_000);

const options = fc
  .record({
    targetMs: fc.integer({ min: 1, max: 20 }),
    minSize: fc.integer({ min: 1, max: 20 }),
    span: fc.integer({ min: 0, max: 50 }),
    concurrency: fc.integer({ min: 1, max: 6 }),
    maxWaitMs: fc.integer({ min: 1, max: 10 }),
    bisect: fc.boolean(),
  })
  .map(({ span, ...it }) => ({ ...it, maxSize: it.minSize + span }));

async function* slowly(items: readonly number[]) {
  for (const it of items) {
    if (it % 7 === 0) await nextTurn();
    yield it;
  }
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const it of stream) all.push(it);
  return all;
}

it('sees every item once, in order, within its bounds', async () => {
  await fc.assert(
    fc.asyncProperty(
      options,
      fc.integer({ min: 0, max: 300 }),
      fc.constantFrom('list', 'asynchronous', 'stream'),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 10 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 299 }), { maxLength: 10 }),
      async (its, count, kind, delaysMs, badItems) => {
        const items = Array.from({ length: count }, (_, index) => index);
        const bad = new Set(badItems);
        const seen = new Map<number, number>();
        let running = 0;
        let call = 0;
        const handler = async (batch: readonly number[], { firstIndex }: { firstIndex: number }) => {
          running++;
          expect(running).toBeLessThanOrEqual(its.concurrency);
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(its.maxSize);
          expect(batch).toEqual(items.slice(firstIndex, firstIndex + batch.length));
          for (const it of batch) seen.set(it, (seen.get(it) ?? 0) + 1);
          await sleep(delaysMs[call++ % delaysMs.length]);
          running--;
          return batch.map((it) => (bad.has(it) ? new Error(String(it)) : it * 2));
        };
        const source: BatchSource<number> = kind === 'list' ? items : slowly(items);
        const processor = new BatchProcessor(its);
        const results =
          kind === 'stream'
            ? await collect(processor.stream(source, handler))
            : await processor.process(source, handler);
        expect(results).toEqual(
          items.map((it) =>
            bad.has(it) ? { ok: false, error: new Error(String(it)) } : { ok: true, value: it * 2 },
          ),
        );
        expect([...seen.values()].every((times) => times === 1)).toBe(true);
        expect(seen.size).toBe(count);
      },
    ),
    { numRuns: 60 },
  );
});
