import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createCodec } from '../src/codec/codec.js';
import {
  DEPENDENCIES,
  draftOf,
  HOUR_MS,
  keep,
  noise,
  noteOf,
  ObjectFixture,
  valueOf,
  type InstanceOptions,
  type Instance,
} from './object-fixture.js';
import { filesIn } from './object-folder-fixture.js';

const ENTRY = 'k:content:a';
const fixture = new ObjectFixture();
afterEach(() => fixture.stop());

const open = async (options?: InstanceOptions) => fixture.open(await fixture.folder(), options);

describe('the object tier', () => {
  it('gives back values as they were, with what is left of their times', async () => {
    let now = 1_800_000_000_000;
    const instance = await open({ now: () => now });
    const value = {
      list: [1, 'ä', null, undefined],
      map: new Map([['k', 1n]]),
      at: new Date(5),
      bytes: noise(50_000),
    };
    const noted = await noteOf(instance, ENTRY);
    const draft = draftOf(value, { etag: '"v1"', lastModified: 'Sat, 01 Jan 2000 00:00:00 GMT' });
    expect(await instance.tier.write(ENTRY, noted, draft)).toBe(true);
    now += 1_000;
    expect(await instance.tier.read(ENTRY, noted)).toEqual({
      ...draft,
      freshMs: HOUR_MS - 1_000,
      hardMs: 2 * HOUR_MS - 1_000,
      scopes: DEPENDENCIES,
    });
    now += HOUR_MS;
    expect((await instance.tier.read(ENTRY, noted))?.freshMs).toBe(-1_000);
    now += HOUR_MS - 1_001;
    expect((await instance.tier.read(ENTRY, noted))?.hardMs).toBe(1);
    now += 1;
    expect(await instance.tier.read(ENTRY, noted)).toBeUndefined();
    expect(instance.tier.counters).toMatchObject({ hits: 3, misses: 1, writes: 1 });
  });

  it('keeps undefined and null, which a caller may want', async () => {
    const instance = await open();
    for (const value of [undefined, null]) {
      await keep(instance, ENTRY, value);
      expect(await instance.tier.read(ENTRY, await noteOf(instance, ENTRY))).toMatchObject({ value });
    }
  });

  it('compresses what is worth it', async () => {
    const instance = await open();
    await keep(instance, ENTRY, 'some text, again and again; '.repeat(100_000));
    expect(instance.tier.counters.bytesWritten).toBeLessThan(100_000);
    expect(await valueOf(instance, ENTRY)).toHaveLength(2_800_000);
  });

  it('keeps nothing longer than its own limit, also when that was lowered', async () => {
    let now = 1_800_000_000_000;
    const folder = await fixture.folder();
    const long = fixture.open(folder, { now: () => now, ttlMs: 10_000 });
    await keep(long, ENTRY, 1);
    expect(await long.tier.read(ENTRY, await noteOf(long, ENTRY))).toMatchObject({
      freshMs: 10_000,
      hardMs: 10_000,
    });
    const short = fixture.open(folder, { now: () => now, ttlMs: 1_000 });
    now += 999;
    expect(await valueOf(short, ENTRY)).toBe(1);
    now += 1;
    expect(await valueOf(short, ENTRY)).toBeUndefined();
    expect(await valueOf(long, ENTRY)).toBe(1);
  });

  it('takes an object from the future for a miss: the clock was set back', async () => {
    let now = 1_800_000_000_000;
    const folder = await fixture.folder();
    await keep(fixture.open(folder, { now: () => now }), ENTRY, 1);
    now -= 59_000;
    expect(await valueOf(fixture.open(folder, { now: () => now }), ENTRY)).toBe(1);
    now -= HOUR_MS;
    const later = fixture.open(folder, { now: () => now });
    expect(await valueOf(later, ENTRY)).toBeUndefined();
    await keep(later, ENTRY, 2);
    expect(await valueOf(later, ENTRY)).toBe(2);
  });

  it('keeps the entries of two schema versions beside each other', async () => {
    const folder = await fixture.folder();
    const [old, young] = [1, 2].map((schemaVersion) =>
      fixture.open(folder, {
        formatOf: () => ({ codec: createCodec({ schemaVersion }), streams: 'plain' }),
      }),
    ) as [Instance, Instance];
    await keep(old, ENTRY, 'old');
    expect(await valueOf(young, ENTRY)).toBeUndefined();
    await keep(young, ENTRY, 'young');
    expect(await valueOf(old, ENTRY)).toBe('old');
    expect(await valueOf(young, ENTRY)).toBe('young');
    await young.generations.raise([ENTRY]);
    expect(await valueOf(old, ENTRY)).toBeUndefined();
  });

  it('misses and removes what it can not read', async () => {
    const folder = await fixture.folder();
    const instance = fixture.open(folder);
    await keep(instance, ENTRY, 'some value');
    const [file = ''] = await filesIn(folder);
    const whole = await readFile(file);
    await instance.store.put('entries/test/2.0/k:content:a', Buffer.from('not ours'));
    expect(await valueOf(instance, ENTRY)).toBeUndefined();
    expect(await filesIn(folder)).toEqual([]);
    await writeFile(file, whole.subarray(0, -1));
    expect(await valueOf(instance, ENTRY)).toBeUndefined();
    expect(await filesIn(folder)).toEqual([]);
    expect(instance.tier.available).toBe(true);
  });

  it('removes and clears', async () => {
    const instance = await open();
    const entries = ['k:content:a', 'k:content:b', 'k:search:c'];
    for (const entry of entries) await keep(instance, entry, entry);
    await instance.tier.remove(['k:content:a', 'k:content:none']);
    expect(await Promise.all(entries.map((it) => valueOf(instance, it)))).toEqual([
      undefined,
      ...entries.slice(1),
    ]);
    await instance.generations.raise(['t::tag']);
    await instance.tier.clear();
    expect(await Promise.all(entries.map((it) => valueOf(instance, it)))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    // The generations stay: what is written just now by another process must not become valid again.
    expect(instance.store.stats()?.entries).toBe(1);
  });

  it('refuses values that have no form, tells why, and stays in service', async () => {
    const problems: unknown[] = [];
    const codec = createCodec();
    const encode: typeof codec.encode = (address, draft) => {
      if (typeof draft.value === 'symbol') throw new TypeError('no form for a symbol');
      return codec.encode(address, draft);
    };
    const instance = await open({
      formatOf: () => ({
        codec: { version: codec.version, encode, decode: codec.decode.bind(codec) },
        streams: 'plain',
      }),
      onProblem: (error) => problems.push(error),
    });
    for (let i = 0; i < 20; i++) expect(await keep(instance, ENTRY, Symbol('x'))).toBe(false);
    expect(instance.tier.counters).toMatchObject({ refused: 20, writes: 0 });
    expect(problems).toHaveLength(20);
    expect(await keep(instance, ENTRY, 1)).toBe(true);
    expect(await valueOf(instance, ENTRY)).toBe(1);
  });
});

describe('the object tier of an encrypted namespace', () => {
  const encrypted = () => {
    const encryption = { keys: [{ id: 'one', key: randomBytes(32) }] as const };
    return {
      codec: createCodec({ encryption: { keys: [...encryption.keys] } }),
      streams: 'refused' as const,
    };
  };

  it('writes nothing in clear, and no streams', async () => {
    const folder = await fixture.folder();
    const format = encrypted();
    const instance = fixture.open(folder, { formatOf: () => format });
    await keep(instance, ENTRY, 'the secret');
    expect(await valueOf(instance, ENTRY)).toBe('the secret');
    for (const file of await filesIn(folder)) expect((await readFile(file)).includes('secret')).toBe(false);
    const source = Readable.from(['the secret']);
    expect(await instance.tier.writeStream(ENTRY, await noteOf(instance, ENTRY), source, draftOf(0))).toBe(
      false,
    );
    expect(source.destroyed).toBe(true);
  });

  it('opens a body in no other place and under no other generations', async () => {
    const folder = await fixture.folder();
    const format = encrypted();
    const instance = fixture.open(folder, { formatOf: () => format });
    const key = (entry: string) => `entries/test/${format.codec.version}/${entry}`;
    await keep(instance, ENTRY, 'of a');
    const found = await instance.store.get(key(ENTRY));
    if (found === undefined || found === 'not-modified') throw new Error('no object');
    const bytes = await buffer(found.body);
    await instance.store.put(key('k:content:b'), bytes);
    expect(await valueOf(instance, 'k:content:b')).toBeUndefined();
    expect(await valueOf(instance, ENTRY)).toBe('of a');
  });

  it('misses, and keeps, what was encrypted with a key that it does not have', async () => {
    const folder = await fixture.folder();
    const [mine, theirs] = [encrypted(), encrypted()];
    const other = {
      codec: createCodec({ encryption: { keys: [{ id: 'two', key: randomBytes(32) }] } }),
      streams: 'refused' as const,
    };
    await keep(fixture.open(folder, { formatOf: () => mine }), ENTRY, 1);
    const instance = fixture.open(folder, { formatOf: () => other });
    for (let i = 0; i < 20; i++) expect(await valueOf(instance, ENTRY)).toBeUndefined();
    expect(instance.tier.available).toBe(true);
    expect(await valueOf(fixture.open(folder, { formatOf: () => mine }), ENTRY)).toBe(1);
    expect(theirs.codec.version).toBe(mine.codec.version);
  });
});
