import assert from 'node:assert/strict';
import { it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryTier } from './memory-tier.js';

interface Entry {
  readonly value: object;
  readonly expiry: number;
  readonly bytes: number;
}

/**
 * The tier beside a Map with the same times. The Map forgets only what the tier tells that it has removed, so the two
 * hold the same at any time, or the tier has lost an entry, kept one, or told of one twice.
 */
class Pair {
  now = 0;
  readonly entries = new Map<string, Entry>();
  readonly tier: MemoryTier<object>;
  readonly #removed = new Set<object>();

  constructor(maxEntries: number, maxBytes: number) {
    this.tier = new MemoryTier({
      maxEntries,
      maxBytes,
      now: () => this.now,
      onRemove: (key, value, reason) => {
        assert.ok(!this.#removed.has(value));
        this.#removed.add(value);
        const entry = this.entries.get(key);
        assert.ok(reason === 'replace' || entry?.value === value);
        if (reason === 'expire') assert.ok(entry!.expiry <= this.now);
        if (entry?.value === value) this.entries.delete(key);
      },
    });
  }

  live(key: string): object | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && entry.expiry > this.now ? entry.value : undefined;
  }

  set(key: string, bytes: number, ttlMs: number | undefined): void {
    const value = {};
    const before = this.entries.get(key);
    const expiry = ttlMs === undefined ? Infinity : this.now + ttlMs;
    this.entries.delete(key);
    if (bytes <= this.tier.maxBytes) this.entries.set(key, { value, expiry, bytes });
    this.tier.set(key, value, ttlMs === undefined ? { bytes } : { bytes, ttlMs });
    if (before !== undefined) assert.ok(this.#removed.has(before.value));
  }

  check(): void {
    const { tier } = this;
    assert.equal(tier.size, this.entries.size);
    assert.equal(
      tier.bytes,
      [...this.entries.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    );
    assert.ok(tier.size <= tier.maxEntries);
    assert.ok(tier.bytes <= tier.maxBytes);
  }
}

const maxEntries = fc.integer({ min: 1, max: 30 });
const maxBytes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(1e9));
const key = fc.nat({ max: 60 }).map((i) => `k${i}`);
const ttlMs = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined });
const bytes = fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 15 }) }, fc.nat({ max: 400 }));

/** One step as a function, so that a counterexample shrinks by itself; `toString` says what it did. */
const named = (name: string, run: (pair: Pair) => void) => Object.assign(run, { toString: () => name });
const step = fc.oneof(
  {
    weight: 20,
    arbitrary: key.map((k) => named(`get ${k}`, (it) => assert.equal(it.tier.get(k), it.live(k)))),
  },
  {
    weight: 20,
    arbitrary: fc
      .tuple(key, bytes, ttlMs)
      .map(([k, size, ttl]) => named(`set ${k} ${size} ${ttl}`, (it) => it.set(k, size, ttl))),
  },
  { weight: 4, arbitrary: fc.nat({ max: 30 }).map((ms) => named(`wait ${ms}`, (it) => void (it.now += ms))) },
  {
    weight: 2,
    arbitrary: key.map((k) => named(`peek ${k}`, (it) => assert.equal(it.tier.peek(k), it.live(k)))),
  },
  {
    weight: 3,
    arbitrary: key.map((k) =>
      named(`delete ${k}`, (it) => {
        const isLive = it.live(k) !== undefined;
        assert.equal(it.tier.delete(k), isLive);
        assert.equal(it.tier.has(k), false);
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(maxEntries, maxBytes)
      .map(([e, b]) => named(`resize ${e} ${b}`, (it) => it.tier.resize({ maxEntries: e, maxBytes: b }))),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      named('sweep', (it) => {
        while (!it.tier.sweep(7));
        assert.deepEqual([...it.tier.keys()].toSorted(), [...it.entries.keys()].toSorted());
      }),
    ),
  },
  { weight: 1, arbitrary: fc.constant(named('clear', (it) => it.tier.clear())) },
  {
    weight: 1,
    arbitrary: fc.constant(
      named('delete where', (it) => {
        const live = [...it.entries.keys()].filter((k) => it.live(k) !== undefined && k.endsWith('1'));
        assert.equal(
          it.tier.deleteWhere((k) => k.endsWith('1')),
          live.length,
        );
      }),
    ),
  },
);

it('holds what a Map would, except what it told that it removed, and keeps its bounds', () => {
  fc.assert(
    fc.property(maxEntries, maxBytes, fc.array(step, { maxLength: 400, size: 'max' }), (e, b, steps) => {
      const pair = new Pair(e, b);
      for (const run of steps) {
        run(pair);
        pair.check();
      }
    }),
    { numRuns: 300 },
  );
});
