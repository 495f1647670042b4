import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  BatchItemFailedError,
  type BatchItemResult,
  BatchProcessor,
  type BatchProgress,
  InvalidBatchProcessorOptionsError,
  InvalidBatchResultError,
} from '../index.js';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const double = (items: readonly number[]) => items.map((it) => it * 2);
const values = (results: readonly BatchItemResult[]) => results.map((it) => (it.ok ? it.value : it.error));
const never = () => new Promise<never>(() => undefined);

async function* counted(count: number, seen: { read: number }) {
  for (let index = 0; index < count; index++) {
    seen.read++;
    yield index;
    await Promise.resolve();
  }
}

describe('a batch processor', () => {
  it('answers in the order of the items', async () => {
    const results = await new BatchProcessor().process(range(1_000), async (items, { firstIndex }) => {
      expect(items[0]).toBe(firstIndex);
      await sleep(firstIndex % 3);
      return double(items);
    });
    expect(values(results)).toEqual(double(range(1_000)));
  });

  it('takes nothing, sets and asynchronous sources too', async () => {
    const processor = new BatchProcessor();
    expect(await processor.process([], double)).toEqual([]);
    expect(values(await processor.process(new Set([1, 2]), double))).toEqual([2, 4]);
    expect(values(await processor.process(counted(25, { read: 0 }), double))).toEqual(double(range(25)));
  });

  it('keeps what failed apart from what did not', async () => {
    const bad = new Error('odd');
    const results = await new BatchProcessor().process([1, 2, 3], (items) =>
      items.map((it) => (it === 2 ? bad : it)),
    );
    expect(results).toEqual([
      { ok: true, value: 1 },
      { ok: false, error: bad },
      { ok: true, value: 3 },
    ]);
  });

  it('fails all items of a batch that throws, and no other', async () => {
    const processor = new BatchProcessor({ minSize: 2, maxSize: 2 });
    const results = await processor.process([1, 2, 3, 4], (items) => {
      if (items.includes(3)) throw new Error('the batch');
      return double(items);
    });
    expect(results.map((it) => it.ok)).toEqual([true, true, false, false]);
  });

  it('finds the bad items of a batch in halves', async () => {
    const bad = new Set([7, 63]);
    const calls: number[] = [];
    const processor = new BatchProcessor({ bisect: true, minSize: 100 });
    const results = await processor.process(range(100), (items, { firstIndex }) => {
      calls.push(items.length);
      expect(items[0]).toBe(firstIndex);
      if (items.some((it) => bad.has(it))) throw new Error('one of you');
      return double(items);
    });
    expect(results.flatMap((it, index) => (it.ok ? [] : [index]))).toEqual([...bad]);
    expect(values(results).filter((it) => typeof it === 'number')).toHaveLength(98);
    expect(calls.length).toBeLessThan(35);
  });

  it('leaves alone what fails as a whole', async () => {
    let calls = 0;
    const processor = new BatchProcessor({ bisect: true, minSize: 5_000 });
    const results = await processor.process(range(5_000), () => {
      calls++;
      throw new Error('down');
    });
    expect(results.every((it) => !it.ok)).toBe(true);
    expect(calls).toBeLessThan(300);
  });

  it('stops at the first failure when asked to, and tells the running handlers', async () => {
    const aborted: unknown[] = [];
    const process = new BatchProcessor({ minSize: 1, maxSize: 1, failFast: true }).process(
      range(100),
      (items, { signal }) => {
        if (items[0] === 2) return [new Error('third')];
        signal.addEventListener('abort', () => aborted.push(signal.reason));
        return never();
      },
    );
    await expect(process).rejects.toThrow(new BatchItemFailedError(2, new Error('third')));
    await expect(process).rejects.toMatchObject({ code: 'TASK_QUEUE_BATCH_ITEM_FAILED', index: 2 });
    expect(aborted.length).toBeGreaterThan(0);
  });

  it('ends at once when it is aborted, whatever its handlers do', async () => {
    const abort = new AbortController();
    const process = new BatchProcessor().process(range(100), never, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(process).rejects.toThrow('enough');
    const late = new BatchProcessor().process(range(100), double, { signal: abort.signal });
    await expect(late).rejects.toThrow('enough');
  });

  it('lets others have their turn while a handler never waits', async () => {
    const abort = new AbortController();
    setImmediate(() => abort.abort(new Error('in between')));
    function* endless() {
      for (;;) yield 1;
    }
    const process = new BatchProcessor({ maxSize: 10 }).process(endless(), double, { signal: abort.signal });
    await expect(process).rejects.toThrow('in between');
  });

  it('tells how far it is', async () => {
    const seen: BatchProgress[] = [];
    await new BatchProcessor({ maxSize: 10 }).process(range(25), (items) => items.map(() => new Error()), {
      onProgress: (it) => seen.push(it),
    });
    expect(seen.map((it) => it.done)).toEqual([10, 20, 25]);
    expect(seen.at(-1)).toMatchObject({ failed: 25, total: 25, batchSize: 5, etaMs: 0 });
    expect(seen[0]?.etaMs).toBeGreaterThan(0);
    expect(seen[0]?.itemsPerSecond).toBeGreaterThan(0);
    const unknown: BatchProgress[] = [];
    const onProgress = (it: BatchProgress) => unknown.push(it);
    await new BatchProcessor().process(counted(3, { read: 0 }), double, { onProgress });
    expect(unknown).toMatchObject([{ total: null, etaMs: null }]);
    await new BatchProcessor().process(counted(3, { read: 0 }), double, { onProgress, total: 3 });
    expect(unknown[1]).toMatchObject({ total: 3, etaMs: 0 });
  });

  it('rejects what does not answer one result an item', async () => {
    const processor = new BatchProcessor();
    await expect(processor.process([1, 2], () => [1])).rejects.toThrow(InvalidBatchResultError);
    await expect(processor.process([1, 2], () => 2 as never)).rejects.toThrow('no list of results');
  });

  it('passes on what the source throws', async () => {
    async function* broken() {
      yield 1;
      await Promise.resolve();
      throw new Error('no more');
    }
    await expect(new BatchProcessor().process(broken(), double)).rejects.toThrow('no more');
  });

  it.each([
    { minSize: 0 },
    { minSize: 10, maxSize: 5 },
    { concurrency: 1.5 },
    { targetMs: NaN },
    { speed: 1 } as never,
  ])('refuses the options %j', async (options) => {
    expect(() => new BatchProcessor(options)).toThrow(InvalidBatchProcessorOptionsError);
    await expect(new BatchProcessor().process([], double, options)).rejects.toThrow(
      InvalidBatchProcessorOptionsError,
    );
  });
});

describe('a stream of results', () => {
  it('is read no further ahead than batches may run', async () => {
    const seen = { read: 0 };
    const processor = new BatchProcessor({ minSize: 5, maxSize: 5, concurrency: 3 });
    let taken = 0;
    for await (const it of processor.stream(counted(200, seen), double)) {
      expect(it).toEqual({ ok: true, value: taken * 2 });
      taken++;
      // Whole batches, and as many in flight as may be; the batch that is being taken is no longer one of them.
      expect(seen.read).toBeLessThanOrEqual(Math.ceil(taken / 5) * 5 + 15);
    }
    expect(taken).toBe(200);
  });

  it('is not read on behind a batch that takes long', async () => {
    const seen = { read: 0 };
    const { promise, resolve } = Promise.withResolvers<void>();
    const processor = new BatchProcessor({ minSize: 5, maxSize: 5, concurrency: 3 });
    const results = processor.stream(counted(200, seen), async (items, { firstIndex }) => {
      if (firstIndex === 0) await promise;
      return double(items);
    });
    const first = results.next();
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    expect(seen.read).toBe(15);
    resolve();
    expect(await first).toEqual({ done: false, value: { ok: true, value: 0 } });
    await results.return();
  });

  it('closes its source and aborts its handlers when it is left', async () => {
    let isClosed = false;
    async function* source() {
      try {
        for (let index = 0; ; index++) {
          yield index;
          await Promise.resolve();
        }
      } finally {
        isClosed = true;
      }
    }
    const signals: AbortSignal[] = [];
    const results = new BatchProcessor().stream(source(), (items, { signal, firstIndex }) => {
      signals.push(signal);
      return firstIndex === 0 ? double(items) : never();
    });
    await results.next();
    await results.return();
    expect(isClosed).toBe(true);
    expect(signals.every((it) => it.aborted)).toBe(true);
  });

  it('does not make a batch wait for a source that has gone quiet', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    async function* slow() {
      yield 1;
      yield await promise;
    }
    const results = new BatchProcessor({ maxWaitMs: 5 }).stream(slow(), double);
    expect(await results.next()).toEqual({ done: false, value: { ok: true, value: 2 } });
    resolve(2);
    expect(await results.next()).toEqual({ done: false, value: { ok: true, value: 4 } });
    expect(await results.next()).toMatchObject({ done: true });
  });
});
