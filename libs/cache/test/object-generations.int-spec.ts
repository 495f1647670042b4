import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../src/object-store/object-store.js';
import {
  alter,
  DEPENDENCIES,
  draftOf,
  HOUR_MS,
  keep,
  noteOf,
  ObjectFixture,
  valueOf,
  type Instance,
} from './object-fixture.js';
import { until } from './until.js';

const ENTRY = 'k:content:a';
const TAGS = ['t::tag', 't:content:tag'];
const fixture = new ObjectFixture();
afterEach(() => fixture.stop());

const open = async (options?: Parameters<ObjectFixture['open']>[1]) =>
  fixture.open(await fixture.folder(), options);

describe('generations in the object store', () => {
  for (const scope of [ENTRY, 'n:content', 'f', ...TAGS]) {
    it(`make an entry a miss, here and in other processes, when "${scope}" is invalidated`, async () => {
      const folder = await fixture.folder();
      const [here, there] = [fixture.open(folder), fixture.open(folder)];
      const scopes = [...DEPENDENCIES, ...TAGS];
      await keep(here, ENTRY, 'old', scopes);
      expect(await valueOf(there, ENTRY, scopes)).toBe('old');
      expect(await here.generations.raise([scope])).toBe(true);
      expect(await valueOf(here, ENTRY, scopes)).toBeUndefined();
      expect(await valueOf(there, ENTRY, scopes)).toBeUndefined();
      await keep(there, ENTRY, 'new', scopes);
      expect(await valueOf(here, ENTRY, scopes)).toBe('new');
      expect(await valueOf(fixture.open(folder), ENTRY, scopes)).toBe('new');
    });
  }

  it('leave entries alone that do not depend on the scope', async () => {
    const instance = await open();
    await keep(instance, ENTRY, 'value', [...DEPENDENCIES, ...TAGS]);
    await instance.generations.raise(['k:content:b', 'n:search', 't::other', 't:search:tag']);
    expect(await valueOf(instance, ENTRY, [...DEPENDENCIES, ...TAGS])).toBe('value');
  });

  it('make a value a miss that was loaded before an invalidation and stored after it', async () => {
    const instance = await open();
    for (const scope of [ENTRY, 'f', ...TAGS]) {
      const scopes = [...DEPENDENCIES, ...TAGS];
      const noted = await noteOf(instance, ENTRY, scopes);
      expect(await instance.generations.hold(ENTRY, noted)).toBe(true);
      await instance.generations.raise([scope]);
      expect(await instance.generations.hold(ENTRY, noted)).toBe(false);
      await instance.tier.write(ENTRY, noted, draftOf('overtaken'));
      expect(await valueOf(instance, ENTRY, scopes)).toBeUndefined();
    }
  });

  it('are noted for tags that an object has and its reader does not know of', async () => {
    const instance = await open();
    await keep(instance, ENTRY, 'value', [...DEPENDENCIES, ...TAGS]);
    expect(await valueOf(instance, ENTRY)).toBe('value');
    await instance.generations.raise(['t::tag']);
    expect(await valueOf(instance, ENTRY)).toBeUndefined();
  });

  it('hold no load that took too long', async () => {
    let now = 0;
    const instance = await open({ monotonic: () => now });
    const noted = await noteOf(instance, ENTRY);
    now += 600_000;
    expect(await instance.generations.hold(ENTRY, noted)).toBe(true);
    now += 1;
    expect(await instance.generations.hold(ENTRY, noted)).toBe(false);
    expect(await instance.generations.hold(ENTRY, { ...noted })).toBe(false);
  });

  it('outlive every entry that depends on them, and are swept then', async () => {
    const folder = await fixture.folder();
    let now = Date.now();
    const options = { ttlMs: HOUR_MS, now: () => now };
    const instance = fixture.open(folder, options);
    await keep(instance, ENTRY, 'old', DEPENDENCIES, { hardMs: HOUR_MS });
    await instance.generations.raise([ENTRY]);
    now += HOUR_MS - 1;
    await instance.store.sweep?.();
    expect(await valueOf(instance, ENTRY)).toBeUndefined();
    expect(instance.store.stats()?.entries).toBe(2);
    now += HOUR_MS + 1;
    await instance.store.sweep?.();
    expect(instance.store.stats()?.entries).toBe(0);
  });

  it('are so few that any number of keys and tags fits', async () => {
    const folder = await fixture.folder();
    const instance = fixture.open(folder);
    const names = Array.from({ length: 3_000 }, (_, i) => `t::${i % 1_000}`);
    expect(await instance.generations.raise(names)).toBe(true);
    const entries = await readdir(join(folder, 'kept'), { recursive: true, withFileTypes: true });
    const files = entries.filter((it) => it.isFile()).length;
    expect(files).toBeLessThanOrEqual(1_000);
    expect(files).toBeGreaterThan(980);
  }, 30_000);
});

describe('an invalidation that does not reach the store', () => {
  const failing = (state: { down: boolean }) => (store: ObjectStore) =>
    alter(store, {
      put: (...args: Parameters<ObjectStore['put']>) =>
        state.down ? Promise.reject(new Error('no')) : store.put(...args),
    });

  it('is tried until it does, and the store is not used for its scope meanwhile', async () => {
    const state = { down: false };
    const folder = await fixture.folder();
    const instance = fixture.open(folder, { around: failing(state), retryMs: 20 });
    const other = fixture.open(folder);
    await keep(instance, ENTRY, 'old');
    await keep(instance, 'k:content:b', 'of b');
    state.down = true;
    expect(await instance.generations.raise([ENTRY])).toBe(false);
    expect(instance.generations.pending).toBe(1);
    expect(await instance.generations.note(ENTRY, DEPENDENCIES)).toBeUndefined();
    expect(await valueOf(instance, 'k:content:b')).toBe('of b');
    state.down = false;
    await until(() => instance.generations.pending === 0);
    expect(await valueOf(other, ENTRY)).toBeUndefined();
    expect(await valueOf(instance, ENTRY)).toBeUndefined();
    await keep(instance, ENTRY, 'new');
    expect(await valueOf(other, ENTRY)).toBe('new');
  });

  it('is tried once more when the cache closes', async () => {
    const state = { down: true };
    const folder = await fixture.folder();
    const other = fixture.open(folder);
    await keep(other, ENTRY, 'old');
    const instance = fixture.open(folder, { around: failing(state), retryMs: 1_000_000 });
    await instance.generations.raise([ENTRY]);
    state.down = false;
    await instance.generations.close();
    expect(await valueOf(other, ENTRY)).toBeUndefined();
  });

  it('is not forgotten when an earlier one of the same scope gets through', async () => {
    const folder = await fixture.folder();
    const answers: (() => void)[] = [];
    let puts = 0;
    const around = (store: ObjectStore) =>
      alter(store, {
        put: async (...args: Parameters<ObjectStore['put']>) => {
          if (++puts === 2) throw new Error('no');
          if (puts === 1) await new Promise<void>((resolve) => answers.push(resolve));
          return store.put(...args);
        },
      });
    const instance = fixture.open(folder, { around, retryMs: 1_000_000 });
    const first = instance.generations.raise([ENTRY]);
    expect(await instance.generations.raise([ENTRY])).toBe(false);
    answers.forEach((answer) => answer());
    expect(await first).toBe(true);
    expect(instance.generations.pending).toBe(1);
  });
});

describe('any interleaving of loads and invalidations in two processes', () => {
  interface Load {
    readonly value: number;
    readonly done: Promise<unknown>;
  }

  const step = fc.record({
    at: fc.nat(1),
    what: fc.constantFrom('load', 'load', 'read', 'read', 'invalidate', 'wait'),
    key: fc.nat(1),
    scope: fc.nat(3),
  });

  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  /** The truth is a number that each invalidation raises before it; a load takes what it finds when it has noted. */
  async function run(instances: readonly Instance[], steps: readonly Step[]) {
    const scopes = [...DEPENDENCIES, 't::tag'];
    let truth = 0;
    let valid = 0;
    const loads: Load[] = [];
    for (const { at, what, key, scope } of steps) {
      const instance = instances[at] as Instance;
      const entry = `k:content:${key}`;
      if (what === 'load') {
        const noted = await noteOf(instance, entry, scopes);
        loads.push({ value: truth, done: instance.tier.write(entry, noted, draftOf(truth)) });
      } else if (what === 'invalidate') {
        const all = scope === 0 ? ['k:content:0', 'k:content:1'] : [scopes[scope - 1] as string];
        truth++;
        await instance.generations.raise(all);
        valid = truth;
      } else if (what === 'wait') await Promise.all(loads.splice(0).map((it) => it.done));
      else {
        const value = await valueOf(instance, entry, scopes);
        expect(value === undefined || (value as number) >= valid).toBe(true);
      }
    }
    await Promise.all(loads.map((it) => it.done));
  }

  it('never brings back a value from before an invalidation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const folder = await fixture.folder();
        await run([fixture.open(folder), fixture.open(folder)], steps);
        await fixture.stop();
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
