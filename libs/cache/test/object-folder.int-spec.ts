import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CacheOptionsError, ObjectTooLargeError } from '../src/cache.errors.js';
import { FolderStore } from '../src/object-store/folder/folder-store.js';
import type { FolderStoreOptions } from '../src/object-store/folder/folder-store.options.js';
import { objectStoreContract } from '../src/testing/object-store-contract.js';
import { runChild, startChild } from './object-children.js';
import { filesIn, FolderFixture, read, roomIn } from './object-folder-fixture.js';
import { until } from './until.js';

const KIB = 1_024;
const MIB = KIB * KIB;

const fixture = new FolderFixture();
const newFolder = () => fixture.newFolder();
const openStore = fixture.open.bind(fixture);

beforeAll(() => fixture.start());
afterEach(() => fixture.closeStores());
afterAll(() => fixture.stop());

describe('the folder store keeps the contract: it', () => {
  for (const { title, run } of objectStoreContract((now) => new FolderStore({ path: newFolder(), now }))) {
    it(title, run);
  }
});

describe('the folder store and other processes', () => {
  it('never shows a torn object when writers are killed in the middle of a put', async () => {
    const path = newFolder();
    let objects = 0;
    for (let round = 0; round < 6; round++) {
      const child = startChild('overwrite', { path, keys: 5, bytes: 700_000 });
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout as Readable })) {
        if (line === 'written' && ++lines === 20 + round) child.kill('SIGKILL');
      }
      const store = openStore(path);
      for (let i = 0; i < 5; i++) {
        const found = await store.get(`k${i}`);
        if (found === undefined || found === 'not-modified') continue;
        const number = Number(found.metadata['number']) % 200;
        const bytes = await buffer(found.body);
        expect(bytes.equals(Buffer.alloc(700_000 + number, number))).toBe(true);
        objects++;
      }
      expect(store.stats().errors).toBe(0);
      await store.close();
    }
    expect(objects).toBeGreaterThanOrEqual(25);
  }, 60_000);

  it('holds the bound with two of them at once, but for what they did not know of each other', async () => {
    const path = newFolder();
    const maxBytes = 16 * MIB;
    const fill = { path, maxBytes, keys: 700, bytes: 50_000 };
    let done = false;
    let most = 0;
    const both = Promise.all(['a', 'b'].map((name) => runChild('fill', { ...fill, name }))).finally(
      () => (done = true),
    );
    while (!done) most = Math.max(most, await roomIn(path));
    await both;
    // Some sixteenths for each: what they wrote before the other one looked.
    expect(most).toBeLessThan(maxBytes * 1.25);
    const store = openStore(path, { maxBytes });
    await store.sweep();
    expect(await roomIn(path)).toBeLessThanOrEqual(maxBytes);
    expect(store.stats().bytes).toBe(await roomIn(path));
  }, 60_000);

  it('finds what another one has put, and misses what another one has removed', async () => {
    const path = newFolder();
    const [one, other] = [openStore(path), openStore(path)];
    await one.put('k', Buffer.from('of one'));
    expect((await read(other, 'k'))?.toString()).toBe('of one');
    await other.put('k', Buffer.from('of the other'));
    expect((await read(one, 'k'))?.toString()).toBe('of the other');
    await other.delete(['k']);
    expect(await one.get('k')).toBeUndefined();
    await one.sweep();
    expect(one.stats().entries).toBe(0);
  });

  it('finds everything again after a restart, and evicts in the order of use', async () => {
    const path = newFolder();
    // In the past: the system too notes when a file was read.
    let now = Date.now() - 3_600_000;
    const clock = () => now;
    const first = openStore(path, { now: clock });
    for (let i = 0; i < 16; i++) {
      await first.put(`k${i}`, Buffer.alloc(60 * KIB, i), {}, { ttlMs: 10_000_000 });
      now += 1_000;
    }
    now += 120_000;
    await read(first, 'k0');
    await first.close();
    const second = openStore(path, { now: clock, maxBytes: MIB });
    await second.sweep();
    expect(second.stats()).toMatchObject({ entries: 16, bytes: 16 * 64 * KIB });
    await second.put('new', Buffer.alloc(60 * KIB));
    const left = await Promise.all(
      Array.from({ length: 16 }, async (_, i) => (await second.head(`k${i}`)) && i),
    );
    expect(left.filter((i) => i !== undefined)).toEqual([0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  it('cleans up what crashes left, and nothing that is being written', async () => {
    const path = newFolder();
    await mkdir(join(path, 'tmp'), { recursive: true });
    await writeFile(join(path, 'tmp', '1-rest'), Buffer.alloc(10_000));
    // The age of a file is told by the clock of the system, whatever the store takes for the time.
    const store = openStore(path, { now: () => Date.now() + 365 * 24 * 60 * 60_000 });
    await store.sweep();
    expect(await filesIn(path)).toHaveLength(1);
    const source = new Readable({ read: () => undefined });
    const put = store.put('k', source);
    await until(async () => (await filesIn(path)).length === 2);
    const old = new Date(Date.now() - 16 * 60_000);
    for (const file of await readdir(join(path, 'tmp'))) await utimes(join(path, 'tmp', file), old, old);
    await store.sweep();
    expect(await filesIn(path)).toHaveLength(1);
    source.push('value');
    source.push(null);
    await put;
    expect((await read(store, 'k'))?.toString()).toBe('value');
  });
});

describe('the folder store and its bounds', () => {
  it('never takes more room than it may, at no moment, with many writers', async () => {
    const path = newFolder();
    const maxBytes = 4 * MIB;
    const store = openStore(path, { maxBytes });
    const writers = Array.from({ length: 12 }, async (_, writer) => {
      for (let i = 0; i < 30; i++) {
        const bytes = Buffer.alloc(1_000 + ((writer * 31 + i) % 7) * 20_000);
        await store.put(`${writer}/${i}`, i % 2 === 0 ? bytes : Readable.from([bytes, bytes]));
        if (i % 3 === 0) expect(await roomIn(path)).toBeLessThanOrEqual(maxBytes);
      }
    });
    await Promise.all(writers);
    expect(await roomIn(path)).toBeGreaterThan(maxBytes / 2);
    expect(store.stats().evictions).toBeGreaterThan(50);
    await store.sweep();
    expect(store.stats().bytes).toBe(await roomIn(path));
  });

  it('keeps what is used, and what must be kept, when it evicts', async () => {
    const store = openStore(newFolder(), { maxBytes: MIB, maxEntries: 10 });
    await store.put('kept/k', Buffer.from('v'));
    for (let i = 0; i < 40; i++) {
      await store.put(`k${i}`, Buffer.from('v'));
      expect((await read(store, 'k0'))?.toString()).toBe('v');
    }
    expect((await read(store, 'kept/k'))?.toString()).toBe('v');
    expect(store.stats().entries).toBeLessThanOrEqual(11);
  });

  it('refuses an object over a quarter of its room, and drives out no others for it', async () => {
    const path = newFolder();
    const store = openStore(path, { maxBytes: MIB });
    await store.put('k', Buffer.from('v'));
    const endless = new Readable({ read: () => endless.push(Buffer.alloc(30_000)) });
    await expect(store.put('large', endless)).rejects.toThrow(ObjectTooLargeError);
    await expect(store.put('large', Buffer.alloc(300 * KIB))).rejects.toThrow(ObjectTooLargeError);
    expect(endless.destroyed).toBe(true);
    expect(store.stats()).toMatchObject({ entries: 1, evictions: 0 });
    expect(await filesIn(path)).toHaveLength(1);
  });

  it('removes the files of what has expired when it sweeps', async () => {
    const path = newFolder();
    let now = Date.now();
    const store = openStore(path, { now: () => now });
    await store.put('short', Buffer.from('v'), {}, { ttlMs: 1_000 });
    await store.put('long', Buffer.from('v'), {}, { ttlMs: 100_000 });
    await store.put('kept/g', Buffer.from('v'), {}, { ttlMs: 1_000 });
    now += 1_000;
    // It outlives its time as long as it is there: nobody may take it for missing too early.
    expect((await read(store, 'kept/g'))?.toString()).toBe('v');
    await store.sweep();
    expect(await filesIn(path)).toHaveLength(1);
    expect(store.stats().entries).toBe(1);
  });

  it('leaves files alone that are not its own', async () => {
    const path = newFolder();
    await mkdir(join(path, 'objects', 'a', 'bc'), { recursive: true });
    await writeFile(join(path, 'objects', 'a', 'bc', 'notes.txt'), 'x');
    await writeFile(join(path, 'notes.txt'), 'x');
    const store = openStore(path);
    await store.sweep();
    expect(await store.clear('')).toBe(0);
    expect(store.stats().entries).toBe(0);
    expect(await filesIn(path)).toHaveLength(2);
  });

  it('names every problem of its options', () => {
    const wrong = { path: '', maxBytes: 1, maxEntries: 0.5, size: 1 } as FolderStoreOptions;
    expect(() => new FolderStore(wrong)).toThrow(CacheOptionsError);
    expect(() => new FolderStore(wrong)).toThrow(/size[^]*path[^]*maxBytes[^]*maxEntries/);
  });
});
