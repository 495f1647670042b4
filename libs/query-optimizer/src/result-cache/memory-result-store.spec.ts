import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryResultStore } from './memory-result-store.js';
import { type LoadedRows } from './result-store.js';

const TTL = 60_000;
const rowsOf = (value: unknown): LoadedRows => ({ rows: [{ value }], isStorable: true });

describe('MemoryResultStore', () => {
  it('loads once, and again after one of the tags was invalidated', async () => {
    const store = new MemoryResultStore();
    let loads = 0;
    const get = () => store.getOrLoad('k', ['a', 'b'], TTL, () => Promise.resolve(rowsOf(++loads)));
    expect(await get()).toEqual({ rows: [{ value: 1 }], isHit: false });
    expect(await get()).toEqual({ rows: [{ value: 1 }], isHit: true });
    await store.invalidate(['c']);
    expect((await get()).isHit).toBe(true);
    await store.invalidate(['b']);
    expect(await get()).toEqual({ rows: [{ value: 2 }], isHit: false });
    await store.clear();
    expect((await get()).isHit).toBe(false);
  });

  it('neither keeps nor shares a load that an invalidation overtook', async () => {
    const store = new MemoryResultStore();
    const slow = Promise.withResolvers<LoadedRows>();
    const first = store.getOrLoad('k', ['a'], TTL, () => slow.promise);
    const joined = store.getOrLoad('k', ['a'], TTL, () => Promise.reject(new Error('not needed')));
    await store.invalidate(['a']);
    const late = store.getOrLoad('k', ['a'], TTL, () => Promise.resolve(rowsOf('new')));
    slow.resolve(rowsOf('old'));
    expect((await first).rows).toEqual([{ value: 'old' }]);
    expect((await joined).rows).toEqual([{ value: 'old' }]);
    expect((await late).rows).toEqual([{ value: 'new' }]);
    const after = await store.getOrLoad('k', ['a'], TTL, () => Promise.reject(new Error('not needed')));
    expect(after).toEqual({ rows: [{ value: 'new' }], isHit: true });
  });

  it('keeps no failure, nothing that is not to be kept, and nothing after its time', async () => {
    const store = new MemoryResultStore();
    await expect(store.getOrLoad('k', [], TTL, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await store.getOrLoad('k', [], TTL, () => Promise.resolve({ rows: [], isStorable: false }));
    expect((await store.getOrLoad('k', [], 0, () => Promise.resolve(rowsOf(1)))).isHit).toBe(false);
    expect((await store.getOrLoad('k', [], TTL, () => Promise.resolve(rowsOf(2)))).isHit).toBe(false);
  });

  it('hands out what nobody can change', async () => {
    const store = new MemoryResultStore();
    const { rows } = await store.getOrLoad('k', [], TTL, () => Promise.resolve(rowsOf({ deep: [1] })));
    expect(() => ((rows[0] as { value: { deep: number[] } }).value.deep[0] = 2)).toThrow(TypeError);
  });

  it('stays within its bounds', async () => {
    const store = new MemoryResultStore({ maxBytes: 10_000, maxEntries: 20 });
    for (let i = 0; i < 100; i++) {
      await store.getOrLoad(`k${i}`, [], TTL, () => Promise.resolve(rowsOf('x'.repeat(i * 10))));
      expect(store.size.bytes).toBeLessThanOrEqual(10_000);
      expect(store.size.entries).toBeLessThanOrEqual(20);
    }
    await store.getOrLoad('large', [], TTL, () => Promise.resolve(rowsOf('x'.repeat(20_000))));
    expect((await store.getOrLoad('large', [], TTL, () => Promise.resolve(rowsOf('')))).isHit).toBe(false);
    expect((await store.getOrLoad('k99', [], TTL, () => Promise.resolve(rowsOf('')))).isHit).toBe(true);
  });

  it('spares what was used since it came, and drops the oldest of the others', async () => {
    const store = new MemoryResultStore({ maxEntries: 3 });
    const put = (key: string) => store.getOrLoad(key, [], TTL, () => Promise.resolve(rowsOf(key)));
    for (const it of ['a', 'b', 'c']) await put(it);
    expect(store.peek('a')).toEqual([{ value: 'a' }]);
    await put('d');
    const kept = () => ['a', 'b', 'c', 'd', 'e'].filter((it) => store.peek(it));
    expect(kept()).toEqual(['a', 'c', 'd']);
    // All were used: the oldest goes.
    await put('e');
    expect(store.size.entries).toBe(3);
    expect(store.peek('e')).toBeDefined();
    const none = new MemoryResultStore({ maxEntries: 0 });
    await none.getOrLoad('a', [], TTL, () => Promise.resolve(rowsOf('a')));
    expect(none.peek('a')).toBeUndefined();
  });

  it('has nothing at hand that was invalidated', async () => {
    const store = new MemoryResultStore();
    await store.getOrLoad('k', ['a'], TTL, () => Promise.resolve(rowsOf(1)));
    for (const other of ['b', 'c']) {
      await store.invalidate([other]);
      expect(store.peek('k')).toEqual([{ value: 1 }]);
    }
    await store.invalidate(['a']);
    expect(store.peek('k')).toBeUndefined();
  });

  it('never answers with less than what was there when it was asked', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), tag: fc.nat(2) }),
      fc.record({ kind: fc.constant('begin' as const), key: fc.nat(3) }),
      fc.record({ kind: fc.constant('finish' as const), which: fc.nat(5) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = new MemoryResultStore({ maxEntries: 3 });
        // A key reads the tags below its number: its value is how often they were written.
        const written = [0, 0, 0];
        const sum = (key: number) => written.slice(0, key).reduce((all, it) => all + it, 0);
        const open: { finish: () => void; done: Promise<void> }[] = [];
        for (const it of steps) {
          if (it.kind === 'write') {
            written[it.tag]!++;
            await store.invalidate([`t${it.tag}`]);
          } else if (it.kind === 'begin') {
            const atLeast = sum(it.key);
            const gate = Promise.withResolvers<void>();
            const load = async () => {
              const value = sum(it.key);
              await gate.promise;
              return rowsOf(value);
            };
            const tags = written.slice(0, it.key).map((_, index) => `t${index}`);
            const done = store.getOrLoad(`k${it.key}`, tags, TTL, load).then(({ rows }) => {
              expect((rows[0] as { value: number }).value).toBeGreaterThanOrEqual(atLeast);
            });
            open.push({ finish: gate.resolve, done });
          } else open[it.which]?.finish();
          await Promise.resolve();
        }
        for (const { finish } of open) finish();
        await Promise.all(open.map((it) => it.done));
      }),
    );
  });
});
