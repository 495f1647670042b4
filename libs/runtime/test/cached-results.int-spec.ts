import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ChaosProxy } from '@peregrine/cache/testing';
import { until } from '@peregrine/database/testing';
import { CachedResultStore } from '../src/queries/cached-result-store.js';
import { QueryFixture, type Member } from './query-fixture.js';

jest.setTimeout(60_000);

const OF_TENANT = 'SELECT id, n, note FROM item WHERE tenant = $1 ORDER BY id';

let fixture: QueryFixture;
beforeAll(async () => {
  fixture = await QueryFixture.start();
});
afterAll(() => fixture?.stop());

let tenants = 0;
/** A tenant that no other test has, with one item. */
async function tenant(n = 1): Promise<number> {
  const id = ++tenants;
  await fixture.stranger.query('INSERT INTO item VALUES ($1, $1, $2, NULL)', [id, n]);
  return id;
}

const read = ({ optimizer }: Member, of: number) => optimizer.execute(OF_TENANT, [of], { cache: true });
const sourceOf = async (member: Member, of: number) => (await read(member, of)).source;
const write = ({ optimizer }: Member, of: number, n: number) =>
  optimizer.execute('UPDATE item SET n = $2 WHERE tenant = $1', [of, n]);

/** Until the answer comes from the cache. What was told of an earlier write may still come in. */
const cached = (member: Member, of: number) => until(async () => (await sourceOf(member, of)) === 'cache');

describe('results of queries in the cache of the platform', () => {
  it('are found in memory, and by another process in Redis', async () => {
    const one = await fixture.member();
    const two = await fixture.member();
    const of = await tenant();
    await cached(one, of);
    // What it has stored, the other finds: no statement of its own.
    const before = two.optimizer.report().queries.count;
    await until(async () => (await sourceOf(two, of)) === 'cache');
    const stats = two.cache.stats().namespaces['query'];
    expect(stats?.redis.hits).toBeGreaterThan(0);
    expect(two.optimizer.report().queries.count).toBeGreaterThanOrEqual(before);
    const rows = (await read(two, of)).rows;
    expect(rows).toEqual([{ id: of, n: 1, note: null }]);
    expect(Object.isFrozen(rows)).toBe(true);
  });

  it('that are in memory are handed out at once, and not after a write', async () => {
    const { cache } = await fixture.member(null);
    const store = new CachedResultStore(cache.namespace('query'));
    const load = () => Promise.resolve({ rows: [{ n: 1 }], isStorable: true });
    expect(store.peek('peeked')).toBeUndefined();
    const { rows } = await store.getOrLoad('peeked', ['a tag'], 60_000, load);
    expect(store.peek('peeked')).toBe(rows);
    expect(Object.isFrozen(store.peek('peeked'))).toBe(true);
    const invalidated = store.invalidate(['a tag']);
    expect(store.peek('peeked')).toBeUndefined();
    await invalidated;
    expect(await store.getOrLoad('peeked', [], 60_000, load)).toMatchObject({ isHit: false });
    await store.clear();
    expect(store.peek('peeked')).toBeUndefined();
  });

  it('of one tenant stay when another is written, alone in a deployment', async () => {
    const alone = await QueryFixture.start();
    try {
      const member = await alone.member();
      await member.optimizer.execute('INSERT INTO item VALUES (1, 1, 1), (2, 2, 1)');
      await cached(member, 1);
      await cached(member, 2);
      await write(member, 2, 5);
      expect(await sourceOf(member, 1)).toBe('cache');
      expect(await read(member, 2)).toMatchObject({ source: 'database', rows: [{ n: 5 }] });
    } finally {
      await alone.stop();
    }
  });

  it('that are too large are handed out and not kept', async () => {
    const member = await fixture.member(fixture.redisUrl, 1_000);
    const of = await tenant();
    await fixture.stranger.query(`UPDATE item SET note = repeat('x', 5000) WHERE tenant = $1`, [of]);
    expect(await sourceOf(member, of)).toBe('database');
    expect(await sourceOf(member, of)).toBe('database');
    expect(member.optimizer.report().cache.tooLarge).toBeGreaterThanOrEqual(2);
  });

  it('with long values in their keys are kept and invalidated as well', async () => {
    const member = await fixture.member(null);
    await member.optimizer.execute('CREATE TABLE named (name text PRIMARY KEY, n int)');
    const name = 'x'.repeat(5_000);
    await member.optimizer.execute('INSERT INTO named VALUES ($1, 1)', [name]);
    const find = () =>
      member.optimizer.execute('SELECT n FROM named WHERE name = $1', [name], { cache: true });
    await until(async () => (await find()).source === 'cache');
    await member.optimizer.execute('UPDATE named SET n = 2 WHERE name = $1', [name]);
    expect(await find()).toMatchObject({ source: 'database', rows: [{ n: 2 }] });
  });

  it('are loaded once for all who come together, and the error of a load is everybody’s', async () => {
    // In memory alone, and up to date: no message about the new tenant comes in between.
    const member = await fixture.member(null);
    const of = await tenant();
    await member.optimizer.catchUp();
    const count = member.optimizer.report().cache.misses;
    const answers = await Promise.all(Array.from({ length: 50 }, () => read(member, of)));
    expect(answers.filter((it) => it.source === 'database')).toHaveLength(1);
    expect(member.optimizer.report().cache.misses).toBe(count + 1);
    const divide = () =>
      member.optimizer.execute('SELECT 1 / (n - n) FROM item WHERE tenant = $1', [of], { cache: true });
    const failed = await Promise.allSettled([divide(), divide(), divide()]);
    for (const it of failed) expect(it).toMatchObject({ reason: { code: '22012' } });
  });

  it.each([
    ['of Redis', 'commands'],
    ['of the bus', 'subscriptions'],
  ] as const)(
    'are not stale for longer than PostgreSQL takes to tell, whatever becomes %s',
    async (_, connections) => {
      const proxy = await ChaosProxy.start(fixture.redisUrl);
      fixture.onStop(() => proxy.stop());
      const cutOff = await fixture.member(proxy.url);
      const writer = await fixture.member();
      const of = await tenant();
      await cached(cutOff, of);
      proxy.drop('both', connections);
      await write(writer, of, 2);
      expect((await read(writer, of)).rows).toMatchObject([{ n: 2 }]);
      await until(async () => (await read(cutOff, of)).rows[0]?.['n'] === 2);
      await fixture.stranger.query('UPDATE item SET n = 3 WHERE tenant = $1', [of]);
      await cutOff.optimizer.catchUp();
      expect((await read(cutOff, of)).rows).toMatchObject([{ n: 3 }]);
      proxy.drop('none');
      await write(cutOff, of, 4);
      expect((await read(cutOff, of)).rows).toMatchObject([{ n: 4 }]);
      await until(async () => (await read(writer, of)).rows[0]?.['n'] === 4);
    },
  );
});
