import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { parseCacheOptions } from '../src/index.js';
import { dependencies, keyScope, tagScope } from '../src/coherence/scopes.js';
import type { EntryDraft } from '../src/entry.js';
import type { Lease, RedisRead, RedisTier } from '../src/redis/redis-tier.js';
import { Tiers } from '../src/tiers.js';
import { RedisServer } from './redis-server.js';
import { until } from './until.js';

const ENTRY = keyScope('content:k');
const SCOPES = dependencies('content', ['tag']);
const LONG_MS = 60_000;

// Lost connections are the subject here, not news.
Logger.overrideLogger(false);

describe('leases of several processes', () => {
  let server: RedisServer;
  let all: Tiers[];
  let a: RedisTier;
  let b: RedisTier;
  const draft = (value: unknown): EntryDraft => ({
    value,
    freshMs: LONG_MS,
    hardMs: LONG_MS,
    loadMs: 1,
    createdAt: 0,
  });
  const open = async (prefix = 'leases') => {
    const tiers = new Tiers(parseCacheOptions({ prefix, redis: { url: server.url, timeoutMs: 1_000 } }));
    all.push(tiers);
    await tiers.open();
    await until(() => tiers.redis !== undefined);
    return tiers.redis!;
  };
  const ask = async (tier: RedisTier, leaseMs = LONG_MS) => (await tier.read(ENTRY, SCOPES, { leaseMs }))!;
  const leaseOf = (read: RedisRead) => {
    if (read.lease === undefined || read.lease === 'held') throw new Error('no lease was granted');
    return read.lease;
  };
  const valueOf = async (tier: RedisTier) => {
    const read = await tier.read(ENTRY);
    return read?.hit === true ? read.entry.value : undefined;
  };
  /** Asks until the lease of another has run out. */
  const takeOver = async (tier: RedisTier) => {
    let read = await ask(tier);
    await until(async () => read.lease !== 'held' || (read = await ask(tier)).lease !== 'held');
    return read;
  };

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  beforeEach(async () => {
    all = [];
    [a, b] = await Promise.all([open(), open()]);
    await a.invalidate(['f']);
  });
  afterEach(() => Promise.all(all.map((it) => it.close())));
  afterAll(() => server.remove());

  it('grants one lease at a time, along with the generations', async () => {
    const others = await Promise.all(Array.from({ length: 4 }, () => open()));
    const reads = await Promise.all([a, b, ...others].map((it) => ask(it)));
    expect(reads.filter((it) => it.lease !== 'held')).toHaveLength(1);
    expect(reads.every((it) => !it.hit && it.noted !== undefined)).toBe(true);
  });

  it('stores under the lease, which ends with that', async () => {
    const read = await ask(a);
    expect(await a.write(ENTRY, read.noted!, draft('loaded'), leaseOf(read))).toBe(true);
    expect(await valueOf(b)).toBe('loaded');
    await a.invalidate([ENTRY]);
    expect((await ask(b)).lease).not.toBe('held');
  });

  it('refuses the write of a holder whose lease another has taken over, which has a higher fence', async () => {
    const first = await ask(a, 1);
    const second = await takeOver(b);
    expect(leaseOf(second).fence).toBeGreaterThan(leaseOf(first).fence);
    expect(await a.write(ENTRY, first.noted!, draft('late'), leaseOf(first))).toBe(false);
    expect(await b.write(ENTRY, second.noted!, draft('loaded'), leaseOf(second))).toBe(true);
    expect(await a.write(ENTRY, first.noted!, draft('later'), leaseOf(first))).toBe(false);
    expect(await valueOf(a)).toBe('loaded');
  });

  it('lets a holder store whose lease has run out and was taken by nobody', async () => {
    const read = await ask(a, 1);
    await until(async () => (await a.read(keyScope('content:other'), SCOPES, { leaseMs: 1 }))?.hit === false);
    expect(await a.write(ENTRY, read.noted!, draft('loaded'), leaseOf(read))).toBe(true);
  });

  it('renews and releases only for the holder', async () => {
    const first = leaseOf(await ask(a, 1));
    const second = leaseOf(await takeOver(b));
    expect(await a.renewLease(first)).toBe(false);
    expect(await b.renewLease(second)).toBe(true);
    await a.releaseLease(first);
    expect((await ask(a)).lease).toBe('held');
    await b.releaseLease(second);
    expect(leaseOf(await ask(a)).fence).toBeGreaterThan(second.fence);
  });

  it.each(['the key', 'a tag'])(
    'ends when %s is invalidated, and its holder stores nothing',
    async (what) => {
      const read = await ask(a);
      await b.invalidate([what === 'the key' ? ENTRY : tagScope('content', 'tag')]);
      expect(await a.write(ENTRY, read.noted!, draft('late'), leaseOf(read))).toBe(false);
      expect(await valueOf(b)).toBeUndefined();
    },
  );

  it('ends when another sets the value', async () => {
    const read = await ask(a);
    await b.set(ENTRY, SCOPES, draft('set'));
    expect(await a.write(ENTRY, read.noted!, draft('late'), leaseOf(read))).toBe(false);
    expect(await valueOf(a)).toBe('set');
    await b.invalidate([ENTRY]);
    expect((await ask(b)).lease).not.toBe('held');
  });

  it('raises the fence over removal and restart', async () => {
    const fences: number[] = [];
    const next = async (tier: RedisTier) => {
      const lease: Lease = leaseOf(await ask(tier));
      fences.push(lease.fence);
    };
    await next(a);
    await a.invalidate([ENTRY]);
    await next(a);
    await server.kill();
    await server.start();
    await until(() => a === all[0]!.redis);
    await next(a);
    expect(fences).toEqual([...fences].sort((x, y) => x - y));
    expect(new Set(fences).size).toBe(3);
    expect(fences.every(Number.isSafeInteger)).toBe(true);
  });

  it('is granted with a stale hit, which is noted, and not with a fresh one', async () => {
    await a.set(ENTRY, SCOPES, { ...draft('old'), freshMs: 1 });
    await until(async () => {
      const read = await b.read(ENTRY);
      return read?.hit === true && read.entry.freshMs <= 0;
    });
    const read = await ask(b);
    expect(read).toMatchObject({ hit: true, entry: { value: 'old' } });
    expect(await b.write(ENTRY, read.noted!, draft('new'), leaseOf(read))).toBe(true);
    expect(await ask(b)).toEqual({ hit: true, entry: expect.objectContaining({ value: 'new' }) });
    const early = (await b.read(ENTRY, SCOPES, { leaseMs: LONG_MS, refreshMs: 2 * LONG_MS }))!;
    expect(early.hit && early.noted !== undefined && early.lease !== 'held').toBe(true);
  });

  it('holds generations for a value that lives elsewhere, and ends the lease with that', async () => {
    const read = await ask(a);
    expect(await a.hold(ENTRY, read.noted!, LONG_MS, leaseOf(read))).toBe(true);
    const again = await ask(b);
    expect(again.lease).not.toBe('held');
    expect(again.noted).toEqual(read.noted);
    await a.invalidate([tagScope('', 'tag')]);
    expect(await b.hold(ENTRY, again.noted!, LONG_MS)).toBe(false);
  });
});
