import { afterEach, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
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
import { until } from './until.js';

const ENTRY = 'k:content:a';
const fixture = new ObjectFixture();
afterEach(() => fixture.stop());

const open = async (options?: InstanceOptions) => fixture.open(await fixture.folder(), options);

async function streamOf({ tier, generations }: Instance, entry = ENTRY) {
  const noted = await generations.note(entry, DEPENDENCIES);
  return noted && tier.openStream(entry, noted);
}

describe('streams in the object tier', () => {
  const put = async (instance: Instance, source: Readable, entry = ENTRY) =>
    instance.tier.writeStream(entry, await noteOf(instance, entry), source, draftOf(0, { etag: 'v1' }));

  for (const [kind, bytes] of Object.entries({
    'are compressed where that pays': Buffer.alloc(3_000_000, 'some text '),
    'stay as they are where it does not': noise(3_000_000),
    'may be short': Buffer.from('short'),
    'may be empty': Buffer.alloc(0),
  })) {
    it(kind, async () => {
      const instance = await open();
      const chunks = Array.from({ length: Math.ceil(bytes.length / 7_000) }, (_, i) =>
        bytes.subarray(7_000 * i, 7_000 * (i + 1)),
      );
      expect(await put(instance, Readable.from(chunks))).toBe(true);
      const found = await streamOf(instance);
      expect(found?.entry).toMatchObject({ etag: 'v1', loadMs: 12, createdAt: 1_234, scopes: DEPENDENCIES });
      expect(found?.entry.freshMs).toBeGreaterThan(HOUR_MS - 60_000);
      expect(found && (await buffer(found.body)).equals(bytes)).toBe(true);
      if (kind.includes('compressed')) expect(instance.tier.counters.bytesWritten).toBeLessThan(100_000);
    });
  }

  it('and values are no hits for each other', async () => {
    const instance = await open();
    await put(instance, Readable.from(['bytes']));
    expect(await valueOf(instance, ENTRY)).toBeUndefined();
    await keep(instance, ENTRY, 'value');
    expect(await streamOf(instance)).toBeUndefined();
    expect(await valueOf(instance, ENTRY)).toBe('value');
  });

  it('are a miss once they were invalidated', async () => {
    const instance = await open();
    await put(instance, Readable.from(['bytes']));
    await instance.generations.raise(['n:content']);
    expect(await streamOf(instance)).toBeUndefined();
  });

  it('leave nothing when their source fails, and the store is not blamed', async () => {
    const folder = await fixture.folder();
    const instance = fixture.open(folder);
    for (let i = 0; i < 12; i++) {
      const source = Readable.from(
        (function* () {
          yield noise(i % 2 === 0 ? 10 : 500_000);
          throw new Error('the origin broke');
        })(),
      );
      expect(await put(instance, source)).toBe(false);
    }
    expect(await filesIn(folder)).toEqual([]);
    expect(instance.gate.errors).toBe(0);
    expect(await put(instance, Readable.from(['bytes']))).toBe(true);
  });

  it('end the file when the reader stops early, read or not', async () => {
    const instance = await open();
    const bodies: Readable[] = [];
    const watch = instance.store.get.bind(instance.store);
    instance.store.get = async (...args) => {
      const found = await watch(...args);
      if (typeof found === 'object' && args[0].startsWith('entries/')) bodies.push(found.body);
      return found;
    };
    for (const bytes of [noise(3_000_000), Buffer.from(noise(2_000_000).toString('base64'))]) {
      await put(instance, Readable.from([bytes]));
      (await streamOf(instance))?.body.destroy();
      for await (const chunk of (await streamOf(instance))?.body ?? []) {
        expect(Buffer.isBuffer(chunk)).toBe(true);
        break;
      }
    }
    expect(bodies).toHaveLength(4);
    await until(() => bodies.every((it) => it.closed));
  });

  it('fail in the middle when the store stops, and when the file is damaged', async () => {
    const folder = await fixture.folder();
    const instance = fixture.open(folder, { timeoutMs: 100 });
    await put(instance, Readable.from([noise(3_000_000)]));
    const [file = ''] = await filesIn(folder);
    const bytes = await readFile(file);
    bytes[2_000_000] = (bytes[2_000_000] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const damaged = await streamOf(instance);
    await expect(damaged && buffer(damaged.body)).rejects.toMatchObject({ code: 'CACHE_OBJECT_DAMAGED' });
    await until(async () => (await streamOf(instance)) === undefined);

    await put(instance, Readable.from([noise(3_000_000)]));
    const get = instance.store.get.bind(instance.store);
    instance.store.get = async (...args) => {
      const found = await get(...args);
      if (typeof found !== 'object' || !args[0].startsWith('entries/')) return found;
      const first = (await found.body[Symbol.asyncIterator]().next()).value as Buffer;
      const stuck = new Readable({ read: () => undefined }).once('close', () => found.body.destroy());
      stuck.push(first);
      return { ...found, body: stuck };
    };
    const stuck = await streamOf(instance);
    await expect(stuck && buffer(stuck.body)).rejects.toMatchObject({ code: 'CACHE_OBJECT_STORE' });
  });
});
