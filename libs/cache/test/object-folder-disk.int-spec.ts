import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DamagedObjectError, ObjectStoreError, ObjectStoreFullError } from '../src/cache.errors.js';
import { runChild } from './object-children.js';
import { filesIn, FolderFixture, read } from './object-folder-fixture.js';
import { until } from './until.js';

const MIB = 1_024 * 1_024;

const fixture = new FolderFixture();
const newFolder = () => fixture.newFolder();
const openStore = fixture.open.bind(fixture);

beforeAll(() => fixture.start());
afterEach(async () => {
  jest.restoreAllMocks();
  await fixture.closeStores();
});
afterAll(() => fixture.stop());

async function onlyFile(folder: string): Promise<string> {
  const [file, ...others] = await filesIn(folder);
  if (file === undefined || others.length > 0) throw new Error(`not one file in ${folder}`);
  return file;
}

/** The disk refuses writes of so many bytes and more, so many times. */
async function fillDisk(times: number, code = 'ENOSPC', minBytes = 1): Promise<void> {
  const probe = await open(fixture.newFolder(), 'w');
  await probe.close();
  const handles = Object.getPrototypeOf(probe) as {
    write(buffer: Buffer, ...rest: number[]): Promise<unknown>;
  };
  const write = Reflect.get(handles, 'write');
  let left = times;
  jest.spyOn(handles, 'write').mockImplementation(function (this: unknown, bytes, ...rest) {
    if (bytes.length < minBytes || left-- <= 0) return Reflect.apply(write, this, [bytes, ...rest]);
    return Promise.reject(Object.assign(new Error(`${code}: no space left on device`), { code }));
  });
}

describe('the folder store and a bad disk', () => {
  const damage: Record<string, (file: string) => Promise<void>> = {
    'cut short': (file) => truncate(file, 60),
    emptied: (file) => truncate(file, 0),
    'made longer': (file) => writeFile(file, 'x', { flag: 'a' }),
    'filled with zeros': async (file) => writeFile(file, Buffer.alloc((await stat(file)).size)),
    'changed in its head': async (file) => {
      const bytes = await readFile(file);
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      await writeFile(file, bytes);
    },
    'changed in its body': async (file) => {
      const bytes = await readFile(file);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await writeFile(file, bytes);
    },
  };
  for (const [what, change] of Object.entries(damage)) {
    it(`misses and removes a file that was ${what}`, async () => {
      const path = newFolder();
      const store = openStore(path);
      await store.put('k', Buffer.from('some value'));
      await change(await onlyFile(path));
      expect(await store.get('k')).toBeUndefined();
      await store.close();
      expect(await filesIn(path)).toEqual([]);
      await store.put('k', Buffer.from('another'));
      expect((await read(store, 'k'))?.toString()).toBe('another');
    });
  }

  it('ends the stream of a large damaged file with an error, and removes it', async () => {
    const path = newFolder();
    const store = openStore(path);
    await store.put('k', Buffer.alloc(2 * MIB, 1));
    await damage['changed in its body']?.(await onlyFile(path));
    await expect(read(store, 'k')).rejects.toThrow(DamagedObjectError);
    await until(async () => (await filesIn(path)).length === 0);
    expect(await store.get('k')).toBeUndefined();
  });

  it('does not take a damaged file for missing when it had to be kept', async () => {
    const path = newFolder();
    const store = openStore(path);
    for (const change of ['changed in its body', 'emptied']) {
      await store.put('kept/k', Buffer.from('some value'));
      await damage[change]?.(await onlyFile(path));
      await expect(store.get('kept/k')).rejects.toThrow(DamagedObjectError);
    }
  });

  it('makes room on a full disk and tries once more', async () => {
    const store = openStore(newFolder());
    for (let i = 0; i < 20; i++) await store.put(`k${i}`, Buffer.alloc(10_000));
    await fillDisk(1);
    await store.put('new', Buffer.alloc(10_000));
    expect(await store.head('new')).toBeDefined();
    expect(store.stats().evictions).toBeGreaterThanOrEqual(2);
  });

  it('fails with a typed error when the disk stays full, keeps what it has and leaves nothing behind', async () => {
    const path = newFolder();
    const store = openStore(path);
    await store.put('k', Buffer.from('v'));
    await store.put('old', Buffer.alloc(100_000));
    await store.put('k', Buffer.from('v'));
    await fillDisk(Infinity, 'ENOSPC', 1_000);
    await expect(store.put('new', Buffer.alloc(2_000))).rejects.toThrow(ObjectStoreFullError);
    await expect(store.put('new', Readable.from([Buffer.alloc(2_000)]))).rejects.toThrow(
      ObjectStoreFullError,
    );
    await expect(store.put('new', Buffer.alloc(0))).resolves.toBeUndefined();
    jest.restoreAllMocks();
    expect(await readdir(join(path, 'tmp'))).toEqual([]);
    await store.put('new', Buffer.alloc(2_000));
    expect(await store.head('new')).toMatchObject({ size: 2_000 });
  });

  it('fails with a typed error when its folder can not be used', async () => {
    const file = newFolder();
    await writeFile(file, 'x');
    const store = openStore(file);
    await expect(store.put('k', Buffer.from('v'))).rejects.toThrow(ObjectStoreError);
    await expect(store.get('k')).rejects.toThrow('The folder store can not read: ENOTDIR');
    expect(await readFile(file, 'utf8')).toBe('x');
  });
});

describe('a stream through the tier and the folder store', () => {
  for (const compressible of [false, true]) {
    const kind = compressible ? 'compressible' : 'incompressible';
    it(`takes constant memory for 101 MB of ${kind} bytes`, async () => {
      const options = { bytes: 101_000_000, compressible, folder: newFolder() };
      const result = await runChild<{ same: boolean; growthMiB: number; storedBytes: number }>(
        'stream',
        options,
      );
      expect(result.same).toBe(true);
      expect(result.growthMiB).toBeLessThan(80);
      if (compressible) expect(result.storedBytes).toBeLessThan(1_000_000);
    }, 60_000);
  }
});
