import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import type { ObjectStore } from '../object-store/object-store.js';
import type { ContractCase } from './contract.js';

/** Makes an open store without objects, whose time (milliseconds since 1970) is what `now` says. */
export type MakeObjectStore = (now: () => number) => ObjectStore | Promise<ObjectStore>;

interface Bench {
  readonly store: ObjectStore;
  readonly advance: (ms: number) => void;
}
type Check = (bench: Bench) => Promise<void>;

const MIB = 2 ** 20;
const ODD_KEYS = [
  '',
  ' ',
  '.',
  '..',
  '../../etc/passwd',
  '/root',
  'a//b/',
  'a\\b',
  'a%2Fb',
  'a?b#c&d=e+f',
  'ä',
  'a\u0308',
  '\u{1F600}',
  '\0\n',
  'CON',
  '__proto__',
  'x'.repeat(2_000),
  `${'x'.repeat(1_999)}y`,
  'K',
  'k',
];

/** Bytes that can not be compressed, the same for the same seed, made piece by piece. */
function* pieces(bytes: number, seed: number, pieceBytes = 60_000): Generator<Buffer> {
  for (let at = 0; at < bytes; at += pieceBytes) {
    const outputLength = Math.min(bytes - at, pieceBytes);
    yield createHash('shake128', { outputLength }).update(`${seed}:${at}`).digest();
  }
}

const whole = (bytes: number, seed: number) => Buffer.concat([...pieces(bytes, seed)]);

async function read(store: ObjectStore, key: string): Promise<Buffer | undefined> {
  const found = await store.get(key);
  assert.notEqual(found, 'not-modified');
  if (found === undefined || found === 'not-modified') return undefined;
  const bytes = await buffer(found.body);
  assert.equal(bytes.length, found.size);
  return bytes;
}

const text = async (store: ObjectStore, key: string) => (await read(store, key))?.toString();

const VALUES: Readonly<Record<string, Check>> = {
  'gives back the bytes and the metadata that were put': async ({ store }) => {
    const metadata = { kind: 'test', 'a-1': 'ä \u{1F600} \n = ; "', empty: '' };
    await store.put('k', Buffer.from('value'), metadata);
    const found = await store.get('k');
    assert.ok(found !== undefined && found !== 'not-modified');
    assert.deepEqual({ ...found.metadata }, metadata);
    assert.equal(found.size, 5);
    assert.equal((await buffer(found.body)).toString(), 'value');
    const head = await store.head('k');
    assert.deepEqual({ ...head, metadata: { ...head?.metadata } }, { size: 5, etag: found.etag, metadata });
  },
  'knows nothing that was not put': async ({ store }) => {
    for (const key of ODD_KEYS) {
      assert.equal(await store.get(key), undefined);
      assert.equal(await store.head(key), undefined);
    }
  },
  'keeps odd keys apart': async ({ store }) => {
    for (const key of ODD_KEYS) await store.put(key, Buffer.from(`of ${key}`));
    for (const key of ODD_KEYS) assert.equal(await text(store, key), `of ${key}`, JSON.stringify(key));
  },
  'keeps an object without bytes': async ({ store }) => {
    await store.put('empty', Buffer.alloc(0));
    await store.put('stream', Readable.from([]));
    assert.equal((await read(store, 'empty'))?.length, 0);
    assert.equal((await read(store, 'stream'))?.length, 0);
  },
  'takes part of a larger buffer': async ({ store }) => {
    await store.put('k', new Uint8Array(Buffer.from('0123456789')).subarray(2, 5));
    assert.equal(await text(store, 'k'), '234');
  },
  'takes streams of any length': async ({ store }) => {
    for (const bytes of [1, 1_000, 65_536, 300_000, 11 * MIB + 17]) {
      await store.put('k', Readable.from(pieces(bytes, bytes), { objectMode: false }));
      assert.ok((await read(store, 'k'))?.equals(whole(bytes, bytes)), `${bytes} bytes`);
    }
  },
  'takes large buffers': async ({ store }) => {
    const bytes = whole(7 * MIB, 3);
    await store.put('k', bytes);
    assert.ok((await read(store, 'k'))?.equals(bytes));
  },
  'refuses metadata that not every store could keep': async ({ store }) => {
    const wrong: Record<string, string>[] = [
      { Name: '' },
      { 'a b': '' },
      { a: 'x'.repeat(2_000) },
      { a: '\ud800' },
    ];
    for (const metadata of wrong) {
      await assert.rejects(store.put('k', Buffer.from('v'), metadata), JSON.stringify(metadata));
    }
    assert.equal(await store.get('k'), undefined);
  },
};

const CHANGES: Readonly<Record<string, Check>> = {
  'puts a new object in the place of the old one': async ({ store }) => {
    await store.put('k', Buffer.from('old and long'), { a: '1' });
    const old = await store.head('k');
    await store.put('k', Buffer.from('new'), { b: '2' });
    const found = await store.head('k');
    assert.equal(await text(store, 'k'), 'new');
    assert.deepEqual({ ...found?.metadata }, { b: '2' });
    assert.notEqual(found?.etag, old?.etag);
  },
  'sends no body to a reader who has it': async ({ store }) => {
    await store.put('k', Buffer.from('one'));
    const { etag = '' } = (await store.head('k')) ?? {};
    assert.equal(await store.get('k', { ifNoneMatch: etag }), 'not-modified');
    await store.put('k', Buffer.from('two'));
    const found = await store.get('k', { ifNoneMatch: etag });
    assert.ok(found !== undefined && found !== 'not-modified');
    assert.equal((await buffer(found.body)).toString(), 'two');
    assert.equal(await store.get('other', { ifNoneMatch: etag }), undefined);
  },
  'deletes what is named and nothing else, present or not': async ({ store }) => {
    for (const key of ['a', 'b', 'ab']) await store.put(key, Buffer.from(key));
    await store.delete(['a', 'missing', 'b']);
    await store.delete(['a']);
    await store.delete([]);
    assert.equal(await store.get('a'), undefined);
    assert.equal(await store.get('b'), undefined);
    assert.equal(await text(store, 'ab'), 'ab');
  },
  'deletes very many at once': async ({ store }) => {
    await store.put('k1200', Buffer.from('v'));
    await store.delete(Array.from({ length: 1_201 }, (_, i) => `k${i}`));
    assert.equal(await store.get('k1200'), undefined);
  },
  'clears by prefix': async ({ store }) => {
    const keys = ['p/1', 'p/2', 'p/ä/3', 'p', 'q/1', 'kept/p/1'];
    for (const key of keys) await store.put(key, Buffer.from(key));
    assert.equal(await store.clear('p/'), 3);
    assert.equal(await store.clear('p/'), 0);
    assert.equal(await text(store, 'p'), 'p');
    assert.equal(await text(store, 'q/1'), 'q/1');
    assert.equal(await store.clear('kept/p'), 1);
    assert.equal(await store.clear(''), 2);
    for (const key of keys) assert.equal(await store.get(key), undefined);
  },
  'gives an object up to the end of its life and not at its end': async ({ store, advance }) => {
    await store.put('k', Buffer.from('v'), {}, { ttlMs: 1_000 });
    await store.put('forever', Buffer.from('v'));
    const { etag = '' } = (await store.head('k')) ?? {};
    advance(999);
    assert.equal(await text(store, 'k'), 'v');
    advance(1);
    assert.equal(await store.get('k'), undefined);
    assert.equal(await store.get('k', { ifNoneMatch: etag }), undefined);
    assert.equal(await store.head('k'), undefined);
    assert.equal(await text(store, 'forever'), 'v');
    await store.put('k', Buffer.from('again'), {}, { ttlMs: 1_000 });
    assert.equal(await text(store, 'k'), 'again');
  },
  'removes what has expired with a sweep, and what is to be kept not before its time': async (bench) => {
    const { store, advance } = bench;
    await store.put('k', Buffer.from('v'), {}, { ttlMs: 1_000 });
    await store.put('kept/k', Buffer.from('v'), {}, { ttlMs: 1_000_000 });
    advance(2_000);
    await store.sweep?.();
    assert.equal(await store.get('k'), undefined);
    assert.equal(await text(store, 'kept/k'), 'v');
  },
};

const FAILURES: Readonly<Record<string, Check>> = {
  'is not there when its stream fails': async ({ store }) => {
    for (const bytes of [1_000, 6 * MIB]) {
      const failing = Readable.from(
        (function* () {
          yield* pieces(bytes, 1);
          throw new Error('the source broke');
        })(),
        { objectMode: false },
      );
      await assert.rejects(store.put('k', failing));
      assert.equal(await store.get('k'), undefined);
    }
  },
  'stops a put when the signal comes, and ends the source': async ({ store }) => {
    const abort = new AbortController();
    const source = new Readable({ read: () => undefined });
    source.push(Buffer.alloc(1_000));
    const put = store.put('k', source, {}, { signal: abort.signal });
    await setImmediate();
    abort.abort(new Error('enough'));
    await assert.rejects(put);
    assert.ok(source.destroyed);
    assert.equal(await store.get('k'), undefined);
    await assert.rejects(store.put('k', Buffer.from('v'), {}, { signal: abort.signal }));
    assert.equal(await store.get('k'), undefined);
  },
  'stops a get when the signal has come, and a body when it comes': async ({ store }) => {
    await store.put('k', Readable.from(pieces(8 * MIB, 1), { objectMode: false }));
    await assert.rejects(store.get('k', { signal: AbortSignal.abort() }));
    const abort = new AbortController();
    const found = await store.get('k', { signal: abort.signal });
    assert.ok(found !== undefined && found !== 'not-modified');
    abort.abort();
    await assert.rejects(buffer(found.body));
  },
  'goes on when bodies are dropped unread': async ({ store }) => {
    await store.put('k', whole(MIB, 1));
    for (let i = 0; i < 50; i++) {
      const found = await store.get('k');
      assert.ok(found !== undefined && found !== 'not-modified');
      found.body.destroy();
    }
    assert.equal((await read(store, 'k'))?.length, MIB);
  },
  'never mixes objects that are put and read at the same time': async ({ store }) => {
    const bodies = Array.from({ length: 4 }, (_, i) => Buffer.alloc(400_000 + i, i + 1));
    await store.put('k', bodies[0] as Buffer);
    const writers = bodies.map(async (body) => {
      for (let i = 0; i < 5; i++) await store.put('k', i % 2 === 0 ? body : Readable.from([body]));
    });
    const readers = Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 10; i++) {
        const bytes = await read(store, 'k');
        assert.ok(bytes !== undefined && bodies.some((it) => it.equals(bytes)), 'a mixture');
      }
    });
    await Promise.all([...writers, ...readers]);
  },
  'closes more than once': async ({ store }) => {
    await store.close();
    await store.close();
  },
};

/**
 * What every {@link ObjectStore} promises, for its author:
 * `for (const { title, run } of objectStoreContract(make)) it(title, run)`.
 * The largest object is 11 MiB; each case makes a store of its own and closes it.
 */
export function objectStoreContract(make: MakeObjectStore): ContractCase[] {
  return Object.entries({ ...VALUES, ...CHANGES, ...FAILURES }).map(([title, check]) => ({
    title,
    run: async () => {
      let now = 1_800_000_000_000;
      const store = await make(() => now);
      try {
        await check({ store, advance: (ms) => (now += ms) });
      } finally {
        await store.close();
      }
    },
  }));
}
