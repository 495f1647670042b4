import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { FileContentService, FileNotFoundError, StorageObjectNotFoundError } from '../src/index.js';
import { ContentFixture } from './content-fixture.js';
import { MIB } from './storage-sources.js';

let content: ContentFixture;
let workspace: string;
beforeAll(async () => {
  content = await ContentFixture.start();
  workspace = await content.workspace();
}, 60_000);
afterAll(() => content?.stop());

/** A type without text, so that the extraction does not read along. */
const upload = (path: string, bytes: Uint8Array) => content.upload(workspace, path, bytes, 'image/png');

const readsOf = (key: string) =>
  [...content.drivers.values()].reduce((sum, it) => sum + (it.reads.get(key) ?? 0), 0);

const bytesOf = async (opened: Buffer | Readable) => (Buffer.isBuffer(opened) ? opened : buffer(opened));

describe('loading a file', () => {
  it.each([
    ['from the database', 500],
    ['from the folder', 200_000],
  ])(
    'reads the storage once for 200 callers that miss together: %s',
    async (_, sizeBytes) => {
      const contents = content.get(FileContentService);
      const bytes = randomBytes(sizeBytes);
      const { file } = await upload(`cold-${sizeBytes}`, bytes);
      const loads = Array.from({ length: 200 }, async () => {
        const location = await contents.locate(workspace, file.id);
        return { location, opened: await contents.open(location) };
      });
      for (const { opened, location } of await Promise.all(loads)) {
        expect(Buffer.isBuffer(opened) && opened.equals(bytes)).toBe(true);
        expect(location.sha256).toBe(file.sha256);
      }
      const { object } = await contents.locate(workspace, file.id);
      expect(readsOf(object.key)).toBe(1);
    },
    60_000,
  );

  it('gives each caller bytes that the others cannot change', async () => {
    const contents = content.get(FileContentService);
    const { file } = await upload('own.txt', Buffer.from('unchanged'));
    const location = await contents.locate(workspace, file.id);
    const first = await contents.open(location);
    if (Buffer.isBuffer(first)) first.fill(0);
    expect((await bytesOf(await contents.open(location))).toString()).toBe('unchanged');
  });

  it('takes a range out of a cached content', async () => {
    const contents = content.get(FileContentService);
    const { file } = await upload('range.txt', Buffer.from('0123456789'));
    const location = await contents.locate(workspace, file.id);
    expect((await bytesOf(await contents.open(location, { start: 3, end: 5 }))).toString()).toBe('345');
    expect((await bytesOf(await contents.open(location))).toString()).toBe('0123456789');
  });

  it('streams what is large from the storage each time, and caches none of it', async () => {
    const contents = content.get(FileContentService);
    const bytes = randomBytes(2 * MIB);
    const { file } = await upload('large.bin', bytes);
    const location = await contents.locate(workspace, file.id);
    for (let time = 1; time <= 2; time++) {
      const opened = await contents.open(location);
      expect(opened).toBeInstanceOf(Readable);
      expect((await bytesOf(opened)).equals(bytes)).toBe(true);
      expect(readsOf(location.object.key)).toBe(time);
    }
    const tail = await contents.open(location, { start: bytes.length - 5, end: bytes.length - 1 });
    expect(await bytesOf(tail)).toEqual(bytes.subarray(-5));
  });

  it.each([
    ['small', 300],
    ['large', 2 * MIB],
  ])(
    'finds the way from a stale place to the new content: %s',
    async (_, sizeBytes) => {
      // A process that missed the invalidation, as one does whose Redis was away.
      const deaf = (await content.sibling({ worker: false })).get(FileContentService);
      const { file } = await upload(`replaced-${sizeBytes}`, randomBytes(sizeBytes));
      const stale = await deaf.locate(workspace, file.id);
      const bytes = randomBytes(sizeBytes);
      await upload(`replaced-${sizeBytes}`, bytes);
      await until(async () => !(await content.objects()).includes(stale.object.key));

      const again = await deaf.locate(workspace, file.id);
      expect(again.sha256).toBe(stale.sha256);
      await expect(deaf.open(again)).rejects.toThrow(StorageObjectNotFoundError);
      await deaf.forget(again);
      const opened = await deaf.open(await deaf.locate(workspace, file.id));
      expect((await bytesOf(opened)).equals(bytes)).toBe(true);
    },
    60_000,
  );

  it('knows no file of another workspace', async () => {
    const contents = content.get(FileContentService);
    const { file } = await upload('mine.txt', Buffer.from('mine'));
    await expect(contents.locate(await content.workspace(), file.id)).rejects.toThrow(FileNotFoundError);
    await expect(contents.locate(workspace, workspace)).rejects.toThrow(FileNotFoundError);
  });
});
