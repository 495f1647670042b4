import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import type { EntryDraft } from '../entry.js';
import { createCodec } from './codec.js';
import { ASYNC_BYTES } from './compression.js';

const ADDRESS = 'k:content:a';
const keys = [{ id: 'one', key: randomBytes(32) }];
const draft = (value: unknown): EntryDraft => ({ value, freshMs: 1, hardMs: 3, loadMs: 4, createdAt: 5 });

describe('codec', () => {
  it('gives back what it was given, whatever it does on the way', async () => {
    const time = fc.double({ min: 0, max: 1e13, noNaN: true });
    const text = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
    const entry = fc.record({
      value: fc.jsonValue(),
      freshMs: time,
      hardMs: time,
      loadMs: time,
      createdAt: time,
      etag: text,
      lastModified: text,
    });
    const options = fc.record({
      schemaVersion: fc.nat(65_535),
      compression: fc.record({
        algorithm: fc.constantFrom('auto', 'gzip', 'brotli', 'none'),
        minBytes: fc.nat(50),
      }),
      encryption: fc.option(fc.constant({ keys }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(entry, options, async (given, how) => {
        const codec = createCodec(how);
        const decoded = await codec.decode(ADDRESS, await codec.encode(ADDRESS, given), given.hardMs);
        // JSON has -0, MessagePack integers have not.
        expect(JSON.stringify(decoded.value)).toBe(JSON.stringify(given.value));
        expect(decoded).toMatchObject({
          loadMs: given.loadMs,
          createdAt: given.createdAt,
          hardMs: given.hardMs,
        });
        expect(decoded.etag).toBe(given.etag?.toWellFormed());
        expect(decoded.lastModified).toBe(given.lastModified?.toWellFormed());
      }),
    );
  });

  it('counts what is left of the fresh time from what the store says', async () => {
    const codec = createCodec();
    const bytes = await codec.encode(ADDRESS, draft('v'));
    expect(await codec.decode(ADDRESS, bytes, 2.5)).toMatchObject({ hardMs: 2.5, freshMs: 0.5 });
    expect(await codec.decode(ADDRESS, bytes, 1)).toMatchObject({ hardMs: 1, freshMs: -1 });
  });

  it('holds up nobody with a large body, and compresses none that does not shrink', async () => {
    const codec = createCodec();
    expect(codec.encode(ADDRESS, draft('x'.repeat(ASYNC_BYTES / 2)))).toBeInstanceOf(Buffer);
    const large = codec.encode(ADDRESS, draft('x'.repeat(4 * ASYNC_BYTES)));
    expect(large).toBeInstanceOf(Promise);
    expect((await large).length).toBeLessThan(ASYNC_BYTES / 10);
    for (const size of [ASYNC_BYTES / 2, 4 * ASYNC_BYTES]) {
      const noise = randomBytes(size);
      expect((await codec.encode(ADDRESS, draft(noise))).includes(noise)).toBe(true);
    }
  });

  it('never gives a value from bytes that were changed', async () => {
    for (const encryption of [undefined, { keys }]) {
      const codec = createCodec({ encryption, compression: { algorithm: 'gzip', minBytes: 1 } });
      const bytes = await codec.encode(
        ADDRESS,
        draft('words to compress, words to compress, words to compress'),
      );
      for (let i = 0; i < bytes.length; i++) {
        const changed = Buffer.from(bytes);
        changed[i] = (changed[i] ?? 0) ^ 0x41;
        const decoding = async () => (await codec.decode(ADDRESS, changed, 3)).value;
        if (encryption !== undefined)
          await expect(decoding()).rejects.toHaveProperty('code', expect.stringMatching(/^CACHE_/));
        else await decoding().catch((error: unknown) => expect(error).toHaveProperty('code', 'CACHE_FORMAT'));
      }
      for (let length = 0; length < bytes.length; length++) {
        await expect((async () => codec.decode(ADDRESS, bytes.subarray(0, length), 3))()).rejects.toThrow();
      }
    }
  });

  it('binds an encrypted entry to its address, and uses a nonce once', async () => {
    const codec = createCodec({ encryption: { keys } });
    const [one, two] = [await codec.encode(ADDRESS, draft('v')), await codec.encode(ADDRESS, draft('v'))];
    expect(one.equals(two)).toBe(false);
    await expect((async () => codec.decode('k:content:b', one, 3))()).rejects.toHaveProperty(
      'code',
      'CACHE_FORMAT',
    );
  });

  it('tells apart a key that is not known', async () => {
    const bytes = await createCodec({ encryption: { keys } }).encode(ADDRESS, draft('v'));
    const other = createCodec({
      encryption: { keys: [{ id: 'two', key: randomBytes(32).toString('base64') }] },
    });
    await expect((async () => other.decode(ADDRESS, bytes, 3))()).rejects.toMatchObject({
      code: 'CACHE_UNKNOWN_KEY',
      keyId: 'one',
    });
    expect(() => createCodec({ encryption: { keys: [{ id: 'short', key: 'abcd' }] } })).toThrow(RangeError);
  });

  it('refuses a value without a binary form', async () => {
    await expect((async () => createCodec().encode(ADDRESS, draft(Symbol('no'))))()).rejects.toHaveProperty(
      'code',
      'CACHE_ENCODING',
    );
  });
});
