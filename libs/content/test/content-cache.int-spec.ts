import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cache } from '@peregrine/cache';
import { until } from '@peregrine/database/testing';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { FileContentService, FileService, type FileLocation } from '../src/index.js';
import { ContentFixture } from './content-fixture.js';
import { MIB } from './storage-sources.js';

const SIZE = 3 * MIB + 4_321;

let content: ContentFixture;
let workspace: string;
beforeAll(async () => {
  content = await ContentFixture.start({ cachePiecesUpToBytes: 4 * MIB });
  workspace = await content.workspace();
}, 60_000);
afterAll(() => content?.stop());

/** A type without text, so that the extraction does not read along. */
async function upload(path: string, bytes: Uint8Array): Promise<FileLocation> {
  const { file } = await content.upload(workspace, path, bytes, 'image/png');
  return content.get(FileContentService).locate(workspace, file.id);
}

async function read(location: FileLocation, range?: { start: number; end: number }): Promise<Buffer> {
  const opened = await content.get(FileContentService).open(location, range);
  return Buffer.isBuffer(opened) ? opened : buffer(opened);
}

const readsOf = ({ object }: FileLocation) =>
  [...content.drivers.values()].reduce((sum, it) => sum + (it.reads.get(object.key) ?? 0), 0);

const pieces = () => content.get(Cache).stats().objectStore.entries ?? 0;

/** Until all its pieces are stored, which no reader waits for. */
async function readAndKeep(location: FileLocation): Promise<Buffer> {
  const before = pieces();
  const bytes = await read(location);
  await until(() => Promise.resolve(pieces() >= before + Math.ceil(location.sizeBytes / MIB)));
  return bytes;
}

describe('a large content behind an object tier', () => {
  it('is read from the storage once, whole and in ranges', async () => {
    const bytes = randomBytes(SIZE);
    const location = await upload('pieces.bin', bytes);
    expect((await readAndKeep(location)).equals(bytes)).toBe(true);
    expect((await read(location)).equals(bytes)).toBe(true);
    for (const [start, end] of [
      [0, 0],
      [MIB - 1, MIB],
      [10, 2 * MIB + 10],
      [SIZE - 1, SIZE - 1],
    ] as const) {
      expect((await read(location, { start, end })).equals(bytes.subarray(start, end + 1))).toBe(true);
    }
    expect(readsOf(location)).toBe(1);
  });

  it('keeps only the pieces that a range needs, and opens the storage for the others', async () => {
    const bytes = randomBytes(SIZE);
    const location = await upload('range.bin', bytes);
    const before = pieces();
    const range = { start: MIB + 5, end: 2 * MIB - 5 };
    expect((await read(location, range)).equals(bytes.subarray(range.start, range.end + 1))).toBe(true);
    await until(() => Promise.resolve(pieces() === before + 1));
    expect((await read(location)).equals(bytes)).toBe(true);
    // The first piece, and from the third to the end.
    expect(readsOf(location)).toBe(3);
  });

  it('gives many readers at once the same bytes', async () => {
    const bytes = randomBytes(SIZE);
    const location = await upload('shared.bin', bytes);
    const all = await Promise.all(Array.from({ length: 20 }, () => read(location)));
    expect(all.every((it) => it.equals(bytes))).toBe(true);
    expect(readsOf(location)).toBeLessThan(20);
  });

  it('is not cached above the bound', async () => {
    const bytes = randomBytes(4 * MIB + 1);
    const location = await upload('above.bin', bytes);
    for (const time of [1, 2]) {
      expect((await read(location)).equals(bytes)).toBe(true);
      expect(readsOf(location)).toBe(time);
    }
  });
});

describe('cached bytes of a content', () => {
  it.each([
    ['small', 5_000],
    ['large', SIZE],
  ])(
    'go when no file has it any more, and stay as long as one does: %s',
    async (name, sizeBytes) => {
      const bytes = randomBytes(sizeBytes);
      const [one, two] = [await upload(`${name}-1`, bytes), await upload(`${name}-2`, bytes)];
      await (sizeBytes > MIB ? readAndKeep(one) : read(one));
      const files = content.get(FileService);
      await files.delete(workspace, one.id);
      await read(two);
      expect(readsOf(two)).toBe(1);
      await files.delete(workspace, two.id);
      await until(async () => !(await content.objects()).includes(two.object.key));
      // A reader that was on its way finds nothing in the cache to go on with.
      await until(async () => {
        const opened = await read(two).catch((error: Error) => error);
        return opened instanceof Error;
      });
    },
    30_000,
  );
});
