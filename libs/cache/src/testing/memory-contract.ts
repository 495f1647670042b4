import assert from 'node:assert/strict';
import type { ContractCase } from './contract.js';
import { FakeClock } from './fake-clock.js';

/** The least that a store in memory does. `MemoryTier` is one. */
export interface MemoryStore {
  /** The value, or undefined when there is none or its life is over. */
  get(key: string): unknown;
  /** `ttlMs` is the life of the entry, whole milliseconds; without it, as long as there is room. */
  set(key: string, value: unknown, options?: { readonly ttlMs?: number }): unknown;
  delete(key: string): unknown;
  clear(): unknown;
  readonly size: number;
}

/** Makes an empty store with these bounds whose time is the clock's. */
export type MakeMemoryStore = (options: {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly clock: FakeClock;
}) => MemoryStore;

type Check = (store: MemoryStore, clock: FakeClock) => void;
const ROOM = { maxEntries: 100, maxBytes: 2 ** 20 };
const KIB = 1_024;

const CHECKS: Readonly<Record<string, Check>> = {
  'gives back what was set, falsy values too': (store) => {
    for (const value of [0, '', false, null, 'text', 1.5]) {
      store.set('k', value, { ttlMs: 1_000 });
      assert.equal(store.get('k'), value);
    }
  },
  'knows nothing that was not set': (store) => {
    for (const key of ['k', '', '__proto__', 'constructor', 'toString'])
      assert.equal(store.get(key), undefined);
  },
  'keeps odd keys apart': (store) => {
    const keys = ['', ' ', '0', '__proto__', 'constructor', 'ä', 'a\u0308', '\0', 'x'.repeat(5_000)];
    keys.forEach((key, i) => store.set(key, i, { ttlMs: 1_000 }));
    keys.forEach((key, i) => assert.equal(store.get(key), i, JSON.stringify(key.slice(0, 20))));
  },
  'gives a value up to the end of its life and not at its end': (store, clock) => {
    store.set('k', 1, { ttlMs: 1_000 });
    clock.advance(999);
    assert.equal(store.get('k'), 1);
    clock.advance(1);
    assert.equal(store.get('k'), undefined);
  },
  'starts a new life with every set, longer or shorter': (store, clock) => {
    store.set('k', 1, { ttlMs: 100 });
    store.set('k', 2, { ttlMs: 1_000 });
    clock.advance(500);
    assert.equal(store.get('k'), 2);
    store.set('k', 3, { ttlMs: 100 });
    clock.advance(100);
    assert.equal(store.get('k'), undefined);
  },
  'does not prolong a life by reading': (store, clock) => {
    store.set('k', 1, { ttlMs: 100 });
    for (let i = 0; i < 10; i++) {
      clock.advance(10);
      store.get('k');
    }
    assert.equal(store.get('k'), undefined);
  },
  'keeps lives of very different lengths, in any order of their ends': (store, clock) => {
    const lives = [1, 86_400_000, 60_000, 5, 3_600_000, 1_000];
    lives.forEach((ttlMs) => store.set(String(ttlMs), ttlMs, { ttlMs }));
    let now = 0;
    for (const end of [...lives].sort((a, b) => a - b)) {
      clock.advance(end - 0.5 - now);
      assert.equal(store.get(String(end)), end, `half a millisecond before ${end} ms`);
      clock.advance(0.5);
      assert.equal(store.get(String(end)), undefined, `at ${end} ms`);
      now = end;
    }
  },
  'removes one key, and the key that is not there': (store) => {
    store.set('a', 1, { ttlMs: 1_000 });
    store.set('b', 2, { ttlMs: 1_000 });
    store.delete('a');
    store.delete('nothing');
    assert.deepEqual([store.get('a'), store.get('b'), store.size], [undefined, 2, 1]);
  },
  'is empty after clear, and works on': (store) => {
    store.set('a', 1, { ttlMs: 1_000 });
    store.clear();
    assert.deepEqual([store.get('a'), store.size], [undefined, 0]);
    store.set('a', 2, { ttlMs: 1_000 });
    assert.equal(store.get('a'), 2);
  },
  'counts a replaced entry once': (store) => {
    for (let i = 0; i < 10; i++) store.set('k', i, { ttlMs: 1_000 });
    assert.equal(store.size, 1);
  },
  'never holds more entries than it may, and takes new ones when full': (store) => {
    for (let i = 0; i < 10 * ROOM.maxEntries; i++) {
      store.set(`k${i}`, i, { ttlMs: 1_000 });
      assert.ok(store.size <= ROOM.maxEntries, `${store.size} entries after ${i + 1} sets`);
    }
    assert.ok(store.size >= ROOM.maxEntries / 2, `only ${store.size} entries are kept`);
  },
  'makes room by bytes': (store) => {
    for (let i = 0; i < 90; i++) store.set(`k${i}`, Buffer.alloc(64 * KIB, i), { ttlMs: 1_000 });
    assert.ok(store.size <= ROOM.maxBytes / (64 * KIB), `${store.size} entries of 64 KiB are in 1 MiB`);
    assert.ok(store.size >= 4, `only ${store.size} entries of 64 KiB are in 1 MiB`);
  },
  'does not keep a value that is larger than everything it may hold, and not the old one in its place': (
    store,
  ) => {
    store.set('small', 1, { ttlMs: 1_000 });
    store.set('k', 'old', { ttlMs: 1_000 });
    store.set('k', Buffer.alloc(2 * ROOM.maxBytes), { ttlMs: 1_000 });
    // Not `equal`: to describe what differs in so large a value takes minutes.
    assert.ok(store.get('k') === undefined, 'a value over maxBytes, or the one before it, was kept');
    assert.equal(store.get('small'), 1);
  },
  'keeps a key that is asked for again and again while others pass by once': (store) => {
    store.set('hot', 1, { ttlMs: 1e9 });
    for (let i = 0; i < 20 * ROOM.maxEntries; i++) {
      for (let again = 0; again < 3; again++) store.get('hot');
      store.set(`cold${i}`, i, { ttlMs: 1e9 });
    }
    assert.equal(store.get('hot'), 1);
  },
};

/** What every store in memory promises. Each case makes a store of its own. */
export function memoryTierContract(make: MakeMemoryStore): ContractCase[] {
  return Object.entries(CHECKS).map(([title, check]) => ({
    title,
    run: async () => {
      const clock = new FakeClock();
      check(make({ ...ROOM, clock }), clock);
      return Promise.resolve();
    },
  }));
}
