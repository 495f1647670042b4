import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { collect, resolveRange, slice, streamOf, toBuffer } from './byte-streams.js';
import { StorageObjectTooLargeError, StorageRangeError } from './storage.errors.js';

const ascii = (...chunks: string[]) =>
  Readable.from(
    chunks.map((it) => Buffer.from(it)),
    { objectMode: false },
  );

describe('collecting a stream', () => {
  it('joins its chunks', async () => {
    expect((await collect(ascii('ab', 'c', 'def'), 6)).toString()).toBe('abcdef');
    expect(await collect(ascii(), 0)).toHaveLength(0);
  });

  it('takes chunks of text', async () => {
    expect((await collect(ascii('größe').setEncoding('utf8'), 10)).toString()).toBe('größe');
  });

  it('stops and destroys a stream that is too long', async () => {
    const stream = ascii('ab', 'c', 'def');
    await expect(collect(stream, 5)).rejects.toThrow(StorageObjectTooLargeError);
    expect(stream.destroyed).toBe(true);
  });
});

describe('a range', () => {
  it('ends with the object', () => {
    expect(resolveRange({ start: 2, end: 99 }, 10)).toEqual({ start: 2, end: 9 });
    expect(resolveRange(undefined, 10)).toEqual({ start: 0, end: 9 });
    expect(resolveRange(undefined, 0)).toBeUndefined();
  });

  it('must have a byte of the object', () => {
    expect(() => resolveRange({ start: 10, end: 10 }, 10)).toThrow(StorageRangeError);
    expect(() => resolveRange({ start: 0, end: 0 }, 0)).toThrow(StorageRangeError);
  });
});

describe('a slice of a stream', () => {
  it.each([
    [0, 4, 'abcd'],
    [1, 1, 'b'],
    [3, 4, 'defg'],
    [7, 9, 'h'],
  ])('skips %i bytes and gives %i', async (skip, length, expected) => {
    expect(await text(slice(ascii('ab', 'c', '', 'def', 'gh'), skip, length))).toBe(expected);
  });

  it('fails when its source fails, and ends its source when it is left', async () => {
    const failing = ascii('ab');
    const reading = buffer(slice(failing, 0, 10));
    failing.destroy(new Error('broke off'));
    await expect(reading).rejects.toThrow('broke off');
    const source = new Readable({ read: () => undefined });
    slice(source, 0, 10)
      .on('error', () => undefined)
      .destroy();
    await once(source, 'close').catch(() => undefined);
    expect(source.destroyed).toBe(true);
  });
});

describe('bytes as a stream', () => {
  it('are given once', async () => {
    expect(await text(streamOf(Buffer.from('abc')))).toBe('abc');
    expect(await text(streamOf(Buffer.alloc(0)))).toBe('');
  });

  it('come from any view without a copy', () => {
    const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    expect([...toBuffer(bytes)]).toEqual([2, 3]);
    expect(toBuffer(bytes).buffer).toBe(bytes.buffer);
  });
});
