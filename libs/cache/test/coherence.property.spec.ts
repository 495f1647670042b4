import { describe, it } from '@jest/globals';
import * as fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { createCache } from '../src/index.js';
import { FakeClock } from '../src/testing/fake-clock.js';

const KEYS = ['a', 'b'] as const;
type Key = (typeof KEYS)[number];
const tagOf = (key: Key) => `tag-${key}`;

/** Ways to tell the cache that the source has changed. */
const WRITES = ['invalidate', 'invalidateMany', 'set', 'tag', 'tagEverywhere', 'clear', 'flush'] as const;

type Step =
  | { do: 'load' | 'get'; key: Key }
  /** Reads the source now (early) or when it is told to finish (late). */
  | { do: 'finish'; which: number }
  | { do: 'write'; key: Key; how: (typeof WRITES)[number] }
  | { do: 'advance'; ms: number }
  | { do: 'settle' };

const key = fc.constantFrom(...KEYS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('load' as const, 'get' as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finish' as const), which: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('write' as const), key, how: fc.constantFrom(...WRITES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 50 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'settle' as const }) },
);

/** A source of truth with versions, the cache in front of it, and callers that remember what they may see. */
class Model {
  readonly #clock = new FakeClock();
  readonly #source: Record<Key, number> = { a: 0, b: 0 };
  readonly #running: (() => void)[] = [];
  readonly #callers: Promise<unknown>[] = [];
  readonly #cache = createCache({ clock: this.#clock, memory: { ttlMs: 100, maxEntries: 10 } });
  readonly #content = this.#cache.namespace('content');

  async take(step: Step): Promise<void> {
    if (step.do === 'load') this.#expectFresh(step.key, this.#load(step.key));
    else if (step.do === 'get') this.#expectFresh(step.key, this.#content.get<number>(step.key));
    else if (step.do === 'finish') this.#running.splice(step.which % (this.#running.length || 1), 1)[0]?.();
    else if (step.do === 'write') void this.#write(step.key, step.how);
    else if (step.do === 'advance') this.#clock.advance(step.ms);
    else await turn();
  }

  /** Lets all loads end, and checks that the cache and the source agree. */
  async end(): Promise<void> {
    await turn();
    while (this.#running.length > 0) {
      this.#running.splice(0).forEach((finish) => finish());
      await turn();
    }
    await Promise.all(this.#callers);
    for (const key of KEYS) {
      const cached = await this.#content.get<number>(key);
      if (cached !== undefined && cached !== this.#source[key]) {
        throw new Error(`${key} is ${this.#source[key]} at the source and ${cached} in the cache`);
      }
    }
  }

  #load(key: Key): Promise<number> {
    const loader = () =>
      new Promise<number>((resolve) => {
        const version = this.#source[key];
        this.#running.push(() => resolve(version));
      });
    return this.#content.getOrSet(key, loader, { tags: [tagOf(key)] });
  }

  #expectFresh(key: Key, answer: Promise<number | undefined>): void {
    const atLeast = this.#source[key];
    this.#callers.push(
      answer.then((value) => {
        if (value !== undefined && value < atLeast) {
          throw new Error(`a caller who started at version ${atLeast} of ${key} got ${value}`);
        }
      }),
    );
  }

  #write(key: Key, how: (typeof WRITES)[number]): Promise<void> {
    const version = ++this.#source[key];
    switch (how) {
      case 'invalidate':
        return this.#content.invalidate(key);
      case 'invalidateMany':
        return this.#content.invalidateMany(['x', key]);
      case 'set':
        return this.#content.set(key, version, { tags: [tagOf(key)] });
      case 'tag':
        return this.#content.invalidateTags([tagOf(key)]);
      case 'tagEverywhere':
        return this.#cache.invalidateTags([tagOf(key)]);
      case 'clear':
        return this.#content.clear();
      case 'flush':
        return this.#cache.flush();
    }
  }
}

describe('coherence in one process', () => {
  it('never answers with a value older than the last write at the start of the call', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const model = new Model();
        for (const it of steps) await model.take(it);
        await model.end();
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});
