import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { StorageDriver } from '../src/storage/storage-driver.js';
import {
  StorageKeyError,
  StorageObjectNotFoundError,
  StorageRangeError,
} from '../src/storage/storage.errors.js';
import { chunked, digest, generated, interrupted, MIB, toArray } from './storage-sources.js';

export interface StorageUnderTest {
  driver: StorageDriver;
  /** Whatever the driver left that is no object: files, uploads. */
  leftovers(): Promise<string[]>;
  /** Largest object that the driver is made for, bytes. */
  maxBytes: number;
  /** Most bytes that a write may hold in memory. */
  writeBufferBytes: number;
  /** Bytes of the writes so far that have left the process; `undefined` when nothing can tell. */
  writtenBytes?(key: string): number;
}

/** What every `StorageDriver` must do; run it against an empty storage per test. */
export function runStorageContract(make: () => Promise<StorageUnderTest>): void {
  let it_: StorageUnderTest;
  const key = () => randomUUID();
  const write = async (bytes: Buffer) => {
    const written = key();
    await it_.driver.write(written, chunked(bytes));
    return written;
  };
  const nothingIsLeft = async () => {
    expect(await toArray(it_.driver.list())).toEqual([]);
    expect(await it_.leftovers()).toEqual([]);
  };

  beforeEach(async () => {
    it_ = await make();
  });
  afterEach(async () => {
    for await (const object of it_.driver.list()) await it_.driver.delete(object.key);
  });

  describe('reading and writing', () => {
    it('gives back what was written', async () => {
      const bytes = randomBytes(100_000);
      const written = await write(bytes);
      expect((await buffer(await it_.driver.read(written))).equals(bytes)).toBe(true);
    });

    it('keeps an object without bytes', async () => {
      const written = await write(Buffer.alloc(0));
      expect(await buffer(await it_.driver.read(written))).toHaveLength(0);
      await expect(it_.driver.read(written, { start: 0, end: 0 })).rejects.toThrow(StorageRangeError);
    });

    it('joins chunks in their order', async () => {
      const chunks = Array.from({ length: 50 }, (_, index) => Buffer.alloc(index, index));
      const written = key();
      await it_.driver.write(written, chunked(...chunks));
      expect((await buffer(await it_.driver.read(written))).equals(Buffer.concat(chunks))).toBe(true);
    });

    it.each([
      ['the first byte', 0, 0],
      ['a byte in the middle', 4_711, 4_711],
      ['the last byte', 9_999, 9_999],
      ['the beginning', 0, 99],
      ['the end', 9_000, 9_999],
      ['everything', 0, 9_999],
      ['past the end', 9_990, 1_000_000],
    ])('reads %s', async (_name, start, end) => {
      const bytes = randomBytes(10_000);
      const written = await write(bytes);
      const read = await buffer(await it_.driver.read(written, { start, end }));
      expect(read.equals(bytes.subarray(start, end + 1))).toBe(true);
    });

    it.each([
      ['starts behind the end', 10_000, 10_001],
      ['starts far behind the end', Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER],
      ['ends before it starts', 5, 4],
      ['is negative', -5, 4],
      ['is broken', 0.5, 4],
    ])('refuses a range that %s', async (_name, start, end) => {
      const written = await write(randomBytes(10_000));
      await expect(it_.driver.read(written, { start, end })).rejects.toThrow(StorageRangeError);
    });

    it('keeps concurrent writes and reads apart', async () => {
      const objects = Array.from({ length: 40 }, (_, index) => ({
        key: key(),
        bytes: randomBytes(index * 997),
      }));
      await Promise.all(objects.map((one) => it_.driver.write(one.key, chunked(one.bytes))));
      const read = await Promise.all(objects.map(async (one) => buffer(await it_.driver.read(one.key))));
      expect(read.map((one, index) => one.equals(objects[index]?.bytes ?? one))).not.toContain(false);
    });

    it('lets a reader leave in the middle', async () => {
      const written = key();
      await it_.driver.write(written, generated(Math.min(it_.maxBytes, 4 * MIB)));
      for await (const chunk of await it_.driver.read(written)) {
        expect((chunk as Buffer).length).toBeGreaterThan(0);
        break;
      }
    });
  });

  describe('large objects', () => {
    it('writes and reads without holding the whole object', async () => {
      const sizeBytes = Math.min(it_.maxBytes, 32 * MIB);
      const written = key();
      let ahead = 0;
      const source = generated(sizeBytes, (given) => {
        const gone = it_.writtenBytes?.(written);
        if (gone !== undefined) ahead = Math.max(ahead, given - gone);
      });
      await it_.driver.write(written, source);
      const read = await digest(await it_.driver.read(written));
      expect(read.sha256).toBe((await digest(generated(sizeBytes))).sha256);
      expect(ahead).toBeLessThanOrEqual(it_.writeBufferBytes);
      expect(read.peakBytes).toBeLessThanOrEqual(MIB);
    });

    it('reads a large range from the middle', async () => {
      const sizeBytes = Math.min(it_.maxBytes, 8 * MIB);
      const written = key();
      await it_.driver.write(written, generated(sizeBytes));
      const whole = await buffer(generated(sizeBytes));
      const [start, end] = [100_001, Math.floor(sizeBytes / 2)];
      const read = await buffer(await it_.driver.read(written, { start, end }));
      expect(read.equals(whole.subarray(start, end + 1))).toBe(true);
    });
  });

  describe('failing sources', () => {
    it('leaves nothing of a source that fails at once, and rejects with its error', async () => {
      const error = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      await expect(it_.driver.write(key(), interrupted(0, error))).rejects.toBe(error);
      await nothingIsLeft();
    });

    it('leaves nothing of a source that fails in the middle, and rejects with its error', async () => {
      const error = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      const source = interrupted(Math.min(it_.maxBytes / 2, 20 * MIB), error);
      await expect(it_.driver.write(key(), source)).rejects.toBe(error);
      await nothingIsLeft();
    });

    it('leaves nothing of a source that closes before its end', async () => {
      const source = interrupted(Math.min(it_.maxBytes / 2, 20 * MIB));
      await expect(it_.driver.write(key(), source)).rejects.toMatchObject({
        code: 'ERR_STREAM_PREMATURE_CLOSE',
      });
      await nothingIsLeft();
    });

    it('leaves nothing when the signal comes in the middle', async () => {
      const controller = new AbortController();
      const source = generated(Infinity, (given) => {
        if (given >= Math.min(it_.maxBytes / 2, 20 * MIB)) controller.abort();
      });
      const writing = it_.driver.write(key(), source, { signal: controller.signal });
      await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
      expect(source.destroyed).toBe(true);
      await nothingIsLeft();
    });

    it('writes and reads nothing for a signal that came before', async () => {
      const signal = AbortSignal.abort();
      const written = await write(Buffer.from('x'));
      await expect(it_.driver.write(key(), generated(10), { signal })).rejects.toThrow();
      await expect(it_.driver.read(written, undefined, { signal })).rejects.toMatchObject({
        name: 'AbortError',
      });
      expect(await toArray(it_.driver.list())).toHaveLength(1);
    });
  });

  describe('objects that are not there', () => {
    it('says so before the first byte', async () => {
      const missing = key();
      await expect(it_.driver.read(missing)).rejects.toThrow(StorageObjectNotFoundError);
      await expect(it_.driver.read(missing, { start: 0, end: 9 })).rejects.toThrow(
        StorageObjectNotFoundError,
      );
    });

    it('deletes twice without complaint', async () => {
      const written = await write(Buffer.from('x'));
      await it_.driver.delete(written);
      await it_.driver.delete(written);
      await expect(it_.driver.read(written)).rejects.toThrow(StorageObjectNotFoundError);
      await nothingIsLeft();
    });

    it.each(['', '../../etc/passwd', 'a/b', '..', `${randomUUID()}/..`, `${randomUUID()}\0`, 'A'.repeat(36)])(
      'refuses the key %j',
      async (bad) => {
        await expect(it_.driver.read(bad)).rejects.toThrow(StorageKeyError);
        await expect(it_.driver.write(bad, chunked(Buffer.from('x')))).rejects.toThrow(StorageKeyError);
        await expect(it_.driver.delete(bad)).rejects.toThrow(StorageKeyError);
      },
    );
  });

  it('lists every object with its size and time', async () => {
    const earliest = Date.now() - 60_000;
    const written = new Map<string, number>();
    for (const size of [0, 1, 1_000]) written.set(await write(randomBytes(size)), size);
    const listed = await toArray(it_.driver.list());
    expect(new Map(listed.map((one) => [one.key, one.sizeBytes]))).toEqual(written);
    for (const { modifiedAt } of listed) {
      expect(modifiedAt.getTime()).toBeGreaterThan(earliest);
      expect(modifiedAt.getTime()).toBeLessThan(earliest + 10 * 60_000);
    }
  });

  it('is in order when asked', async () => {
    await it_.driver.check(AbortSignal.timeout(10_000));
    await nothingIsLeft();
  });
}
