import { describe, expect, it } from '@jest/globals';
import { CacheOptionsError, InvalidTtlError, InvalidWeightError } from '../cache.errors.js';
import { MemoryTier, type MemoryTierOptions, type RemovalReason } from './memory-tier.js';

type Removed = [key: string, value: unknown, reason: RemovalReason];

function makeTier(options: MemoryTierOptions<unknown> = {}) {
  const clock = { now: 1_000 };
  const removed: Removed[] = [];
  const tier = new MemoryTier<unknown>({
    now: () => clock.now,
    onRemove: (...removal) => removed.push(removal),
    ...options,
  });
  return { tier, clock, removed };
}

describe('MemoryTier', () => {
  it('gives an entry until its time is over, to the millisecond, and not from then on', () => {
    const { tier, clock, removed } = makeTier({ ttlMs: 100 });
    tier.set('k', 1);
    clock.now += 99.9;
    expect([tier.get('k'), tier.peek('k'), tier.has('k')]).toEqual([1, 1, true]);
    clock.now = 1_100;
    expect([tier.has('k'), tier.peek('k'), tier.get('k')]).toEqual([false, undefined, undefined]);
    expect(removed).toEqual([['k', 1, 'expire']]);
  });

  it('tells undefined that is kept from nothing', () => {
    const { tier } = makeTier();
    tier.set('k', undefined);
    expect([tier.has('k'), tier.has('other'), tier.size]).toEqual([true, false, 1]);
  });

  it('tells once why each entry left', () => {
    const { tier, removed, clock } = makeTier({ maxEntries: 3, maxBytes: 1_000, weigh: () => 10 });
    tier.set('a', 1);
    tier.set('a', 2);
    tier.delete('a');
    tier.set('b', 3, { ttlMs: 5 });
    clock.now += 5;
    tier.get('b');
    tier.set('c', 4, { bytes: 900 });
    tier.set('c', 5, { bytes: 1_001 });
    tier.set('d', 6);
    tier.clear();
    for (let i = 0; i < 4; i++) tier.set(`e${i}`, i);
    expect(removed.slice(0, 5)).toEqual([
      ['a', 1, 'replace'],
      ['a', 2, 'delete'],
      ['b', 3, 'expire'],
      ['c', 4, 'replace'],
      ['d', 6, 'clear'],
    ]);
    expect(removed.slice(5).map(([, , reason]) => reason)).toEqual(['evict']);
    expect([tier.size, tier.bytes]).toEqual([3, 30]);
  });

  it('deletes a value only if it is still the one that was meant', () => {
    const { tier } = makeTier();
    const old = {};
    tier.set('k', old);
    tier.set('k', {});
    expect(tier.deleteIf('k', old)).toBe(false);
    expect(tier.deleteIf('k', tier.peek('k'))).toBe(true);
    expect(tier.delete('k')).toBe(false);
  });

  it('deletes what a predicate picks', () => {
    const { tier } = makeTier();
    for (let i = 0; i < 10; i++) tier.set(`k${i}`, i);
    expect(tier.deleteWhere((key, value) => key !== 'k3' && Number(value) < 8)).toBe(7);
    expect([...tier.keys()]).toEqual(['k3', 'k8', 'k9']);
  });

  it('lets its listener call back', () => {
    const tier: MemoryTier<number> = new MemoryTier({
      maxEntries: 10,
      onRemove: (key, value, reason) => {
        if (reason === 'evict' && value < 100) tier.set(`again-${key}`, value + 100);
      },
    });
    for (let i = 0; i < 100; i++) tier.set(`k${i}`, i);
    expect(tier.size).toBe(10);
  });

  it('keeps what remains when the limits shrink', () => {
    const { tier, removed } = makeTier({ maxEntries: 100, maxBytes: 1_000, weigh: () => 10 });
    for (let i = 0; i < 100; i++) tier.set(`k${i}`, i);
    tier.resize({ maxBytes: 300 });
    expect([tier.size, tier.bytes, tier.maxEntries, tier.maxBytes]).toEqual([30, 300, 100, 300]);
    expect(removed).toHaveLength(70);
    tier.resize({ maxEntries: 5, maxBytes: Infinity });
    expect(tier.size).toBe(5);
  });

  it.each([1, 2, 3, 10])('works with room for %i', (maxEntries) => {
    const { tier } = makeTier({ maxEntries });
    for (let i = 0; i < 1_000; i++) {
      tier.set(`k${i % 37}`, i);
      expect(tier.size).toBeLessThanOrEqual(maxEntries);
      expect(tier.get(`k${i % 37}`) ?? i).toBe(i);
    }
    expect(tier.size).toBe(maxEntries);
  });

  it('sweeps in steps, and with every set a little', () => {
    const { tier, clock } = makeTier({ ttlMs: 10 });
    for (let i = 0; i < 1_000; i++) tier.set(`k${i}`, i);
    clock.now += 10;
    expect(tier.sweep(100)).toBe(false);
    expect(tier.size).toBeGreaterThan(850);
    expect(tier.size).toBeLessThan(1_000);
    while (!tier.sweep(100));
    expect([tier.size, tier.bytes]).toEqual([0, 0]);
    for (let i = 0; i < 1_000; i++) tier.set(`k${i}`, i);
    clock.now += 10;
    for (let i = 0; i < 2_000; i++) tier.set('other', i);
    expect(tier.size).toBe(1);
  });

  it('refuses a wrong time to live and a wrong weight, and changes nothing', () => {
    const { tier } = makeTier();
    tier.set('k', 1);
    for (const ttlMs of [0, -1, 1.5, NaN, Infinity, 2 ** 60]) {
      expect(() => tier.set('k', 2, { ttlMs })).toThrow(InvalidTtlError);
    }
    for (const bytes of [-1, NaN, Infinity]) {
      expect(() => tier.set('k', 2, { bytes })).toThrow(InvalidWeightError);
    }
    expect(tier.get('k')).toBe(1);
  });

  it('names every wrong option', () => {
    const make = () => new MemoryTier({ maxEntries: 0, maxBytes: -1, ttlMs: 0.5, now: 5 as never });
    expect(make).toThrow(CacheOptionsError);
    expect(make).toThrow(/maxEntries.*\n.*maxBytes.*\n.*ttlMs.*\n.*now/);
    expect(() => new MemoryTier().resize({ maxBytes: NaN })).toThrow(CacheOptionsError);
  });

  it('counts what values take when it is not told', () => {
    const tier = new MemoryTier<unknown>({ maxBytes: 100_000 });
    for (let i = 0; i < 50; i++) tier.set(`k${i}`, Buffer.alloc(10_000));
    expect(tier.size).toBe(9);
    expect(tier.bytes).toBeGreaterThan(90_000);
  });

  it('keeps many small entries that are in use rather than a large one that nobody asks for', () => {
    const { tier } = makeTier({ maxBytes: 1_000 });
    const isKept = (key: string) => tier.get(key) !== undefined;
    const use = () => {
      for (let i = 0; i < 80; i++) if (!isKept(`small${i}`)) tier.set(`small${i}`, i, { bytes: 10 });
    };
    for (let round = 0; round < 20; round++) use();
    for (let i = 0; i < 100; i++) {
      tier.set(`large${i}`, i, { bytes: 600 });
      use();
    }
    expect(Array.from({ length: 80 }, (_, i) => isKept(`small${i}`)).filter(Boolean)).toHaveLength(80);
  });

  it('keeps a large entry that everyone asks for, at the price of small ones that nobody does', () => {
    const { tier } = makeTier({ maxBytes: 10_000 });
    let hits = 0;
    for (let i = 0; i < 20_000; i++) {
      tier.set(`once${i}`, i, { bytes: 10 });
      if (i % 20 !== 0) continue;
      if (tier.get('large') === undefined) tier.set('large', i, { bytes: 3_000 });
      else hits++;
    }
    expect(hits).toBeGreaterThan(900);
  });

  it('stays within its bounds over a million keys, with what it keeps beside them', () => {
    const { tier } = makeTier({ maxEntries: 10_000, onRemove: () => undefined });
    for (let i = 0; i < 1_000_000; i++) tier.set(`key${i}`, i, { ttlMs: 60_000, bytes: 100 });
    expect([tier.size, tier.bytes]).toEqual([10_000, 1_000_000]);
    expect(tier.sideTables.sketchBytes).toBeLessThanOrEqual(32 * 10_000);
    expect(tier.sideTables.shadowEntries).toBeLessThanOrEqual(4 * 400);
  });
});
