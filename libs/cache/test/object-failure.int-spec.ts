import { afterEach, describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import type { ObjectStore } from '../src/object-store/object-store.js';
import {
  alter,
  draftOf,
  keep,
  noteOf,
  ObjectFixture,
  valueOf,
  type InstanceOptions,
} from './object-fixture.js';
import { until } from './until.js';

const ENTRY = 'k:content:a';
const fixture = new ObjectFixture();
afterEach(() => fixture.stop());

const open = async (options?: InstanceOptions) => fixture.open(await fixture.folder(), options);

describe('the object tier on a store that fails', () => {
  const never = () => new Promise<never>(() => undefined);

  it('misses within the deadline, goes without the store, and comes back to it', async () => {
    let down = false;
    const told: string[] = [];
    const around = (store: ObjectStore) =>
      alter(store, {
        get: (...args) => (down ? never() : store.get(...args)),
        head: (...args) => (down ? never() : store.head(...args)),
      });
    const instance = await open({
      timeoutMs: 40,
      retryMs: 30,
      around,
      onAvailable: () => told.push('available'),
      onUnavailable: () => told.push('unavailable'),
    });
    const noted = await noteOf(instance, ENTRY);
    await instance.tier.write(ENTRY, noted, draftOf('value'));
    down = true;
    while (instance.tier.available) expect(await instance.tier.read(ENTRY, noted)).toBeUndefined();
    const errors = instance.gate.errors;
    expect(errors).toBeGreaterThanOrEqual(3);
    expect(await instance.tier.read(ENTRY, noted)).toBeUndefined();
    expect(await instance.generations.note(ENTRY, [])).toBeUndefined();
    expect(await instance.tier.write(ENTRY, noted, draftOf(1))).toBe(false);
    down = false;
    await until(() => instance.tier.available);
    expect((await instance.tier.read(ENTRY, noted))?.value).toBe('value');
    expect(told).toEqual(['unavailable', 'available']);
  });

  it('still reads when only writes fail', async () => {
    let full = false;
    const around = (store: ObjectStore) =>
      alter(store, {
        put: (...args) => (full ? Promise.reject(new Error('read-only')) : store.put(...args)),
      });
    const instance = await open({ around });
    await keep(instance, ENTRY, 'value');
    full = true;
    for (let i = 0; i < 20; i++) expect(await keep(instance, ENTRY, 'new')).toBe(false);
    expect(await valueOf(instance, ENTRY)).toBe('value');
  });

  it('does not hold a body that comes after the deadline', async () => {
    const body = Readable.from([Buffer.from('late')]);
    let answer: () => void = () => undefined;
    const around = (store: ObjectStore) =>
      alter(store, {
        get: () =>
          new Promise((resolve) => (answer = () => resolve({ body, size: 4, etag: 'e', metadata: {} }))),
      });
    const instance = await open({ timeoutMs: 20, around });
    const noted = { scopes: [], key: Buffer.alloc(0), tokens: [] };
    expect(await instance.tier.read(ENTRY, noted)).toBeUndefined();
    answer();
    await until(() => body.destroyed);
  });

  it('starts no more writes than it can hold', async () => {
    const instance = await open({ timeoutMs: 20, around: (store) => alter(store, { put: never }) });
    const noted = await noteOf(instance, ENTRY);
    const writes = Array.from({ length: 40 }, () => instance.tier.write(ENTRY, noted, draftOf(1)));
    expect(await Promise.race(writes.slice(-1))).toBe(false);
    expect((await Promise.all(writes)).every((it) => !it)).toBe(true);
    expect(instance.gate.errors).toBe(32);
  });
});
