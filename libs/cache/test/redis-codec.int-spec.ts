import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { removeRedisKeys } from '../src/testing/remove-redis-keys.js';
import { parseCacheOptions, type CacheOptionsInput } from '../src/index.js';
import { dependencies, keyScope, tagScope, type Scope } from '../src/coherence/scopes.js';
import type { EntryDraft } from '../src/entry.js';
import { Tiers } from '../src/tiers.js';
import { ask } from './redis-server.js';
import { redisUrl } from './redis-url.js';
import { until } from './until.js';

type Content = NonNullable<NonNullable<CacheOptionsInput['namespaces']>[string]>;

const entryOf = (key: string) => keyScope(`content:${key}`);
const SCOPES = dependencies('content', ['tag']);
const LONG_MS = 60_000;

describe('entries in Redis', () => {
  let prefix: string;
  let all: Tiers[];
  const draft = (value: unknown, more: Partial<EntryDraft> = {}): EntryDraft => ({
    value,
    freshMs: LONG_MS,
    hardMs: LONG_MS,
    loadMs: 1,
    createdAt: 0,
    ...more,
  });
  const open = async (content: Partial<Content> = {}) => {
    const namespaces = { content: { ttlMs: LONG_MS, ...content } };
    const tiers = new Tiers(
      parseCacheOptions({ prefix, redis: { url: redisUrl(), timeoutMs: 2_000 }, namespaces }),
    );
    all.push(tiers);
    await tiers.open();
    await until(() => tiers.redis !== undefined);
    return tiers;
  };
  const valueOf = async (tiers: Tiers, entry: Scope) => {
    const read = await tiers.redis!.read(entry, SCOPES);
    return read?.hit === true ? read.entry.value : undefined;
  };
  const load = async (tiers: Tiers, entry: Scope, value: unknown) => {
    const read = await tiers.redis!.read(entry, SCOPES);
    if (read?.hit !== false) throw new Error('it was there');
    return tiers.redis!.write(entry, read.noted!, draft(value));
  };
  const recordOf = async (key: string) => {
    const [name] = (await ask(redisUrl(), 'KEYS', `{${prefix}:*}:*:v*:content:${key}`)) as string[];
    return name === undefined ? undefined : ((await ask(redisUrl(), 'GET', name)) as string);
  };
  const keyOf = (id: string) => ({ id, key: new Uint8Array(randomBytes(32)) });

  beforeAll(() => {
    prefix = `peregrine-test-${randomBytes(6).toString('hex')}`;
  });
  beforeEach(() => {
    all = [];
  });
  afterEach(async () => {
    await Promise.all(all.map((it) => it.close()));
    await removeRedisKeys(redisUrl(), prefix);
  });
  afterAll(() => removeRedisKeys(redisUrl(), prefix));

  it('bring back all that was kept of an entry, with what is left of its times', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    const validators = { etag: '"abc"', lastModified: 'Mon, 02 Jan 2006 15:04:05 GMT' };
    const kept = draft('v', { freshMs: 30_000, loadMs: 12.5, createdAt: 1_234.5, ...validators });
    await a.redis!.set(entryOf('k'), SCOPES, kept);
    const read = await b.redis!.read(entryOf('k'), SCOPES);
    if (read?.hit !== true) throw new Error('no hit');
    const { freshMs, hardMs, ...rest } = read.entry;
    expect(rest).toEqual({ value: 'v', loadMs: 12.5, createdAt: 1_234.5, ...validators, scopes: SCOPES });
    expect(hardMs).toBeLessThanOrEqual(LONG_MS);
    expect(hardMs).toBeGreaterThan(0);
    expect(hardMs - freshMs).toBeCloseTo(30_000);
  });

  it('are compressed where that helps, and come back the same at every size', async () => {
    for (const algorithm of ['auto', 'gzip', 'brotli', 'none'] as const) {
      const [a, b] = await Promise.all([open({ compression: { algorithm, minBytes: 1_000 } }), open()]);
      for (const size of [10, 2_000, 100_000, 3_000_000]) {
        const text = 'some words to repeat, '.repeat(size / 22);
        const noise = randomBytes(size);
        await a.redis!.set(entryOf('text'), SCOPES, draft(text));
        await a.redis!.set(entryOf('noise'), SCOPES, draft(noise));
        expect(await valueOf(b, entryOf('text'))).toBe(text);
        expect(noise.equals((await valueOf(b, entryOf('noise'))) as Buffer)).toBe(true);
        const bytes = Number(
          await ask(
            redisUrl(),
            'STRLEN',
            ((await ask(redisUrl(), 'KEYS', `{${prefix}:*}:*:v*:content:text`)) as string[])[0]!,
          ),
        );
        if (algorithm === 'none' || size < 1_000) expect(bytes).toBeGreaterThan(text.length);
        else expect(bytes).toBeLessThan(text.length / 2);
      }
    }
  }, 30_000);

  it('are not stored after an invalidation that overtook their encoding', async () => {
    const a = await open({ compression: { algorithm: 'brotli', minBytes: 1 } });
    const large = draft('words '.repeat(500_000));
    for (const scope of [entryOf('k'), tagScope('content', 'tag'), 'n:content', 'f']) {
      a.generations.raise(entryOf('k'));
      const setting = a.redis!.set(entryOf('k'), SCOPES, large);
      await Promise.all([setting, a.invalidate([scope])]);
      expect(await valueOf(a, entryOf('k'))).toBeUndefined();
    }
    a.generations.raise(entryOf('k'));
    const late = a.redis!.set(entryOf('k'), SCOPES, large);
    a.generations.raise(entryOf('k'));
    const last = a.redis!.set(entryOf('k'), SCOPES, draft('last'));
    await Promise.all([late, last]);
    expect([undefined, 'last']).toContain(await valueOf(a, entryOf('k')));
  }, 30_000);

  it('are encrypted, and of no use to those without the key', async () => {
    const key = keyOf('one');
    const [a, b, stranger] = await Promise.all([
      open({ encryption: { keys: [key] } }),
      open({ encryption: { keys: [key] } }),
      open(),
    ]);
    await a.redis!.set(entryOf('k'), SCOPES, draft('a secret text'));
    expect(await recordOf('k')).not.toContain('secret');
    expect(await valueOf(b, entryOf('k'))).toBe('a secret text');
    expect(await valueOf(stranger, entryOf('k'))).toBeUndefined();
    expect(stranger.redisState.unknownKeys).toBe(1);
    expect(await valueOf(a, entryOf('k'))).toBe('a secret text');
  });

  it('can be read over a rotation of keys, in both directions', async () => {
    const [first, second] = [keyOf('1'), keyOf('2')];
    const before = await open({ encryption: { keys: [first, second] } });
    const after = await open({ encryption: { keys: [second, first] } });
    const finished = await open({ encryption: { keys: [second] } });
    await before.redis!.set(entryOf('old'), SCOPES, draft('old'));
    await after.redis!.set(entryOf('new'), SCOPES, draft('new'));
    for (const it of [before, after]) {
      expect(await valueOf(it, entryOf('old'))).toBe('old');
      expect(await valueOf(it, entryOf('new'))).toBe('new');
    }
    expect(await valueOf(finished, entryOf('new'))).toBe('new');
    // What it can not read is a miss, which a load replaces.
    expect(await load(finished, entryOf('old'), 'loaded')).toBe(true);
    expect(finished.redisState.unknownKeys).toBe(1);
    expect(await valueOf(before, entryOf('old'))).toBe('loaded');
  });

  it('can not be exchanged for each other, nor for one in clear', async () => {
    const keys = [keyOf('one')];
    const [a, clear] = await Promise.all([open({ encryption: { keys } }), open()]);
    await a.redis!.set(entryOf('mine'), SCOPES, draft('mine'));
    await a.redis!.set(entryOf('yours'), SCOPES, draft('yours'));
    const nameOf = async (key: string) =>
      ((await ask(redisUrl(), 'KEYS', `{${prefix}:*}:*:v*:content:${key}`)) as string[])[0]!;
    await ask(redisUrl(), 'COPY', await nameOf('mine'), await nameOf('yours'), 'REPLACE');
    expect(await valueOf(a, entryOf('yours'))).toBeUndefined();
    await clear.redis!.set(entryOf('yours'), SCOPES, draft('planted'));
    expect(await valueOf(a, entryOf('yours'))).toBeUndefined();
    expect(a.redisState).toMatchObject({ undecodable: 2, unknownKeys: 0 });
    expect(await valueOf(a, entryOf('mine'))).toBe('mine');
  });

  it('of two schema versions live beside each other, and go together', async () => {
    const [old, young] = await Promise.all([open({ schemaVersion: 1 }), open({ schemaVersion: 2 })]);
    expect(await load(old, entryOf('k'), { name: 'Ada' })).toBe(true);
    expect(await load(young, entryOf('k'), { first: 'Ada' })).toBe(true);
    expect(await valueOf(old, entryOf('k'))).toEqual({ name: 'Ada' });
    expect(await valueOf(young, entryOf('k'))).toEqual({ first: 'Ada' });
    for (const scope of [entryOf('k'), tagScope('content', 'tag')]) {
      await old.invalidate([scope]);
      expect(await valueOf(old, entryOf('k'))).toBeUndefined();
      expect(await load(young, entryOf('k'), 'again')).toBe(true);
      expect(await load(old, entryOf('k'), 'again')).toBe(true);
    }
    await young.redis!.set(entryOf('k'), SCOPES, draft('set'));
    expect(await valueOf(old, entryOf('k'))).toBeUndefined();
    expect(await valueOf(young, entryOf('k'))).toBe('set');
    expect(old.redisState.undecodable + young.redisState.undecodable).toBe(0);
  });

  it('are cold, and not stale, when the list of versions is lost', async () => {
    const [old, young] = await Promise.all([open({ schemaVersion: 1 }), open({ schemaVersion: 2 })]);
    await load(old, entryOf('k'), 'old');
    await load(young, entryOf('k'), 'old');
    await ask(
      redisUrl(),
      'DEL',
      ((await ask(redisUrl(), 'KEYS', `{${prefix}:*}:*:versions`)) as string[])[0]!,
    );
    await young.invalidate([entryOf('k')]);
    await until(() => young.redis !== undefined && young.redisState.pendingInvalidations === 0);
    expect(await valueOf(young, entryOf('k'))).toBeUndefined();
    await until(async () => old.redis !== undefined && (await old.redis.read(entryOf('x'))) !== undefined);
    expect(await valueOf(old, entryOf('k'))).toBeUndefined();
  });

  it('are refused and counted when a value has no binary form', async () => {
    const a = await open();
    await a.redis!.set(entryOf('k'), SCOPES, draft('old'));
    const broken = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no keys');
        },
      },
    );
    await a.redis!.set(entryOf('k'), SCOPES, draft(broken));
    expect(a.redisState.refused).toBe(1);
    expect(await valueOf(a, entryOf('k'))).toBeUndefined();
  });

  it('are read and written in batches, each for itself', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    const entries = Array.from({ length: 1_200 }, (_, i) => entryOf(`k${i}`));
    const requests = entries.map((entry) => ({ entry, dependencies: SCOPES }));
    const missed = await a.redis!.readMany(requests);
    expect(missed.every((it) => it?.hit === false && it.noted !== undefined)).toBe(true);
    await b.invalidate([entries[7]!]);
    const written = await a.redis!.writeMany(
      entries.map((entry, i) => ({ entry, noted: missed[i]!.noted!, draft: draft(i) })),
    );
    expect(written.flatMap((it, i) => (it === true ? [] : [i]))).toEqual([7]);
    const read = await b.redis!.readMany([...requests, { entry: entryOf('none'), dependencies: [] }]);
    expect(read.flatMap((it, i) => (it?.hit === true && it.entry.value === i ? [] : [i]))).toEqual([
      7, 1_200,
    ]);
    expect(read[7]).toMatchObject({ hit: false, noted: { scopes: SCOPES } });
    expect(read[1_200]).toEqual({ hit: false });
    await a.redis!.setMany(entries.map((entry, i) => ({ entry, dependencies: SCOPES, draft: draft(-i) })));
    expect(await valueOf(b, entries[1_199]!)).toBe(-1_199);
    await b.invalidate([tagScope('', 'tag')]);
    expect((await a.redis!.readMany(requests)).some((it) => it?.hit !== false)).toBe(false);
  });

  it('may depend on thousands of tags', async () => {
    const a = await open();
    const tags = Array.from({ length: 10_000 }, (_, i) => `tag ${i}`);
    const scopes = dependencies('content', tags);
    await a.redis!.set(entryOf('k'), scopes, draft('v'));
    expect(await a.redis!.read(entryOf('k'), scopes)).toMatchObject({ hit: true });
    expect(await a.redis!.read(entryOf('k'))).toMatchObject({ hit: true });
    await a.invalidate([tagScope('content', 'tag 9999')]);
    expect(await a.redis!.read(entryOf('k'))).toEqual({ hit: false });
  });

  it('are found with other tags than they were stored under', async () => {
    const a = await open();
    await a.redis!.set(entryOf('k'), SCOPES, draft('v'));
    for (let i = 0; i < 30; i++) {
      expect(await a.redis!.read(entryOf('k'), dependencies('content', ['another']))).toMatchObject({
        hit: true,
        entry: { scopes: SCOPES },
      });
    }
    await a.invalidate([tagScope('content', 'tag')]);
    expect(await a.redis!.read(entryOf('k'), dependencies('content', ['another']))).toMatchObject({
      hit: false,
    });
  });
});
