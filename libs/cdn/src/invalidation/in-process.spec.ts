import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ProviderRateLimitedError,
  ProviderUnauthorizedError,
  ProviderUnavailableError,
  PurgeRejectedError,
} from '../providers/provider.errors.js';
import { type PurgeProvider, type PurgeRequest } from '../providers/purge-provider.js';
import { FakeClock } from '../testing/fake-clock.js';
import { CdnInvalidation } from './cdn-invalidation.js';
import { InProcessDispatch } from './in-process-dispatch.js';
import { parseInvalidationOptions } from './invalidation.options.js';
import { MemoryInvalidationQueue } from './memory-queue.js';
import { MemoryPurgeBudget } from './purge-budget.js';
import { PurgeDelivery } from './purge-delivery.js';
import { PurgeStatistics } from './purge-statistics.js';

type Reaction = (request: PurgeRequest, signal: AbortSignal) => Promise<void> | void;

/** Everything of a process, with a provider that reacts as the test wants. */
function setUp(reaction: Reaction = () => undefined, ratePerSecond = 1_000, burst = 1_000) {
  const clock = new FakeClock();
  const sent: (PurgeRequest & { atMs: number })[] = [];
  const startedAt = clock.now();
  const rate = { bucket: 'purge', ratePerSecond, burst, cost: 'request' } as const;
  const limits = { perRequest: 3, escalateAbove: 20, rate, soft: true };
  const control = { reaction };
  const provider: PurgeProvider = {
    name: 'edge',
    limits: { path: limits, tag: limits, everything: limits },
    purge: async (request, signal) => {
      sent.push({ ...request, atMs: clock.now() - startedAt });
      await control.reaction(request, signal);
    },
  };
  const queue = new MemoryInvalidationQueue(clock);
  const statistics = new PurgeStatistics();
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const options = parseInvalidationOptions({ giveUpAfterMs: 3_600_000 });
  const budget = new MemoryPurgeBudget(clock);
  const delivery = new PurgeDelivery({ provider, queue, budget, options, statistics, warn, clock });
  const dispatch = new InProcessDispatch([delivery], warn, clock);
  const cdn = new CdnInvalidation({ queue, dispatch, providers: ['edge'], statistics });
  return { clock, sent, control, cdn, dispatch, queue, warnings };
}
const shown = (sent: readonly PurgeRequest[]) => sent.map((it) => [it.kind, ...it.values]);

describe('invalidation in one process', () => {
  it('delivers what is queued, and remembers it', async () => {
    const { cdn, clock, sent } = setUp();
    const queued = await cdn.queueInvalidation({ paths: ['/a', '/b', '/a'], tags: ['file:1'] });
    expect(queued.map((it) => [it.provider, it.target.kind, it.target.value, it.state])).toEqual([
      ['edge', 'path', '/a', 'pending'],
      ['edge', 'path', '/b', 'pending'],
      ['edge', 'tag', 'file:1', 'pending'],
    ]);
    await clock.advance(0);
    expect(shown(sent)).toEqual([
      ['tag', 'file:1'],
      ['path', '/a', '/b'],
    ]);
    expect(await cdn.getPendingInvalidations()).toEqual([]);
    const history = await cdn.getInvalidationHistory();
    expect(history.map((it) => [it.state, it.sentAs])).toEqual([
      ['done', 'path'],
      ['done', 'path'],
      ['done', 'tag'],
    ]);
  });

  it('keeps a target once while it is pending, and sends it again when it is asked for during its sending', async () => {
    const gate = Promise.withResolvers<void>();
    const { cdn, clock, sent } = setUp(() => gate.promise);
    const first = cdn.queueInvalidation({ tags: ['a'] });
    const [same] = await cdn.queueInvalidation({ tags: ['a'] });
    expect(same).toMatchObject({ id: (await first)[0]?.id, requests: 2 });
    await clock.advance(0);
    expect(sent).toHaveLength(1);
    const [again] = await cdn.queueInvalidation({ tags: ['a'] });
    expect(again?.id).not.toBe(same?.id);
    gate.resolve();
    await clock.advance(0);
    expect(sent).toHaveLength(2);
  });

  it('holds the rate of the provider, and coalesces what comes meanwhile', async () => {
    const { cdn, clock, sent } = setUp(undefined, 5 / 60, 2);
    for (let minute = 0; minute < 4; minute++) {
      for (let tag = 0; tag < 12; tag++) await cdn.queueInvalidation({ tags: [`t${tag}`] });
      await clock.advance(60_000);
    }
    await clock.advance(120_000);
    expect(await cdn.getPendingInvalidations()).toEqual([]);
    for (const { atMs } of sent) {
      const within = sent.filter((it) => it.atMs >= atMs && it.atMs < atMs + 60_000).length;
      expect(within).toBeLessThanOrEqual(2 + 5);
    }
    // Four requests for twelve tags each minute, and not twelve.
    expect(sent.length).toBeLessThanOrEqual(4 * 4 + 4);
  });

  it('leaves the provider alone for as long as its Retry-After says', async () => {
    const { cdn, clock, sent, control } = setUp(() => {
      throw new ProviderRateLimitedError('edge', 30_000);
    });
    await cdn.queueInvalidation({ tags: ['a'] });
    await clock.advance(0);
    await cdn.queueInvalidation({ tags: ['b'] });
    await clock.advance(29_900);
    expect(sent).toHaveLength(1);
    control.reaction = () => undefined;
    await clock.advance(200);
    expect(shown(sent.slice(1))).toEqual([['tag', 'a', 'b']]);
    expect((await cdn.getInvalidationHistory()).map((it) => it.attempts)).toEqual([0, 0]);
  });

  it.each([
    ['is away', new ProviderUnavailableError('edge', 'it answers 500')],
    ['does not take the credentials', new ProviderUnauthorizedError('edge', 401)],
    ['breaks in a way that nobody knows', new TypeError('undefined is not a function')],
  ])('keeps the purges while the provider %s, and asks less and less often', async (_, error) => {
    const { cdn, clock, sent, control, warnings } = setUp(() => {
      throw error;
    });
    await cdn.queueInvalidation({ tags: ['a'] });
    await clock.advance(600_000);
    const gaps = sent.slice(1).map((it, index) => it.atMs - (sent[index]?.atMs ?? 0));
    expect(
      gaps.slice(0, 6).every((gap, index) => gap > (gaps[index - 1] ?? 0) && gap <= 1_000 * 2 ** index),
    ).toBe(true);
    expect(await cdn.getPendingInvalidations()).toMatchObject([
      { state: 'pending', attempts: sent.length, error: error.message },
    ]);
    expect(warnings).toHaveLength(sent.length);
    control.reaction = () => undefined;
    await clock.advance(300_000);
    expect(await cdn.getPendingInvalidations()).toEqual([]);
  });

  it('gives up after the time of the options, with the last error', async () => {
    const { cdn, clock } = setUp(() => {
      throw new ProviderUnavailableError('edge', 'it answers 500');
    });
    await cdn.queueInvalidation({ tags: ['a'] });
    await clock.advance(3_600_000 + 300_000);
    expect(await cdn.getPendingInvalidations()).toEqual([]);
    expect(await cdn.getInvalidationHistory()).toMatchObject([
      { state: 'failed', error: 'edge: it answers 500' },
    ]);
  });

  it('finds the one that is refused, and sends the others', async () => {
    const { cdn, clock } = setUp(({ values }) => {
      if (values.includes('/bad')) throw new PurgeRejectedError('edge', '400 no such path');
    });
    await cdn.queueInvalidation({ paths: ['/a', '/bad', '/c'] });
    await clock.advance(0);
    const history = await cdn.getInvalidationHistory();
    expect(Object.fromEntries(history.map((it) => [it.target.value, it.state]))).toEqual({
      '/a': 'done',
      '/bad': 'failed',
      '/c': 'done',
    });
  });

  it('keeps what was being sent when the process stops', async () => {
    const { cdn, clock, dispatch } = setUp(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    await cdn.queueInvalidation({ tags: ['a'] });
    await clock.advance(0);
    expect(await cdn.getPendingInvalidations()).toMatchObject([{ state: 'sending' }]);
    await dispatch.close();
    expect(await cdn.getPendingInvalidations()).toMatchObject([{ state: 'pending', attempts: 0 }]);
  });

  it('takes over what another process has died with', async () => {
    const { cdn, clock, queue, sent } = setUp();
    const [lost] = await queue.add([{ provider: 'edge', target: { kind: 'tag', value: 'a' }, soft: false }]);
    await queue.claim([lost?.id ?? ''], 5_000);
    await cdn.queueInvalidation({ tags: ['b'] });
    await clock.advance(0);
    expect(shown(sent)).toEqual([['tag', 'b']]);
    await clock.advance(5_000);
    expect(shown(sent)).toEqual([
      ['tag', 'b'],
      ['tag', 'a'],
    ]);
  });

  it.each([
    [{}, /name at least one/],
    [{ paths: ['a'] }, /paths\.0\.must be a path/],
    [{ paths: ['/a b'] }, /must be a path/],
    [{ paths: ['/a*'] }, /must be a path/],
    [{ wildcards: ['/a/*/b'] }, /must be a path that ends with its only \*/],
    [{ tags: [''] }, /tags\.0/],
    [{ everything: true, soft: 'yes' }, /soft/],
  ])('refuses %j and queues nothing', async (request, message) => {
    const { cdn } = setUp();
    const error = await cdn.queueInvalidation(request as never).catch((it: unknown) => it);
    expect(error).toMatchObject({
      code: 'CDN_INVALID_PURGE_TARGET',
      message: expect.stringMatching(message),
    });
    await expect(cdn.invalidateAll({ providers: ['egde'] })).rejects.toMatchObject({
      code: 'CDN_UNKNOWN_PROVIDER',
    });
    expect(await cdn.getPendingInvalidations()).toEqual([]);
  });

  it('counts what it did', async () => {
    const { cdn, clock } = setUp();
    await cdn.invalidateAll();
    await clock.advance(0);
    const value = async (name: string) => (await cdn.collect()).find((it) => it.name === name)?.samples;
    expect(await value('cdn_purge_pending')).toEqual([{ labels: { provider: 'edge' }, value: 0 }]);
    expect(await value('cdn_purge_requests_total')).toEqual([
      { labels: { provider: 'edge', kind: 'everything', result: 'success' }, value: 1 },
    ]);
    expect((await value('cdn_purge_age_seconds'))?.at(-1)).toEqual({
      suffix: '_count',
      labels: { provider: 'edge' },
      value: 1,
    });
  });

  const step = fc.record({
    tag: fc.constantFrom('a', 'b', 'c', 'd'),
    waitMs: fc.constantFrom(0, 10, 2_000),
    fault: fc.constantFrom('none', 'none', 'away', 'limited', 'rejected' as const),
  });
  it('has sent each target after it was last asked for, whatever the provider does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        let fault = 'none';
        const purgedAt = new Map<string, number>();
        const { cdn, clock } = setUp(async ({ kind, values }) => {
          const sentAs = clock.now();
          const reaction = fault;
          await new Promise(setImmediate);
          if (reaction === 'away') throw new ProviderUnavailableError('edge', 'away');
          if (reaction === 'limited') throw new ProviderRateLimitedError('edge', 100);
          if (reaction === 'rejected' && values.length > 1) throw new PurgeRejectedError('edge', 'no');
          const all = kind === 'everything' ? ['a', 'b', 'c', 'd'] : values;
          for (const it of all) purgedAt.set(it, sentAs);
        });
        const askedAt = new Map<string, number>();
        for (const { tag, waitMs, fault: next } of steps) {
          fault = next;
          askedAt.set(tag, clock.now());
          await cdn.queueInvalidation({ tags: [tag] });
          await clock.advance(waitMs);
        }
        fault = 'none';
        await clock.advance(3_000_000);
        expect(await cdn.getPendingInvalidations()).toEqual([]);
        for (const [tag, at] of askedAt) expect(purgedAt.get(tag)).toBeGreaterThanOrEqual(at);
      }),
      { numRuns: 60 },
    );
  });
});
