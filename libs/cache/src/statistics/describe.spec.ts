import { beforeEach, describe, expect, it } from '@jest/globals';
import { NamespaceCounters } from './counters.js';
import { describeCache, summarize, type StatisticsSources } from './describe.js';
import { describeMetrics } from './metric-families.js';
import type { RedisStatistics } from './statistics.js';

const MIB = 1024 * 1024;
const REDIS: RedisStatistics = {
  configured: true,
  available: true,
  subscribed: true,
  breakerOpen: false,
  pendingInvalidations: 2,
  errors: 3,
  messages: 4,
  suspicions: 5,
  undecodable: 6,
  unknownKeys: 7,
  refused: 8,
  lastError: null,
  servers: [{ name: 'one:6379', ready: true, buckets: 64 }],
};
const STORE = {
  configured: true,
  available: true,
  errors: 1,
  entries: 7,
  bytes: 25,
  maxBytes: 100,
  evictions: 2,
};
const NONE = { oneMinute: null, fiveMinutes: null, fifteenMinutes: null };

describe('the figures of a cache', () => {
  let content: NamespaceCounters;
  let search: NamespaceCounters;
  let sources: StatisticsSources;
  beforeEach(() => {
    content = new NamespaceCounters();
    search = new NamespaceCounters();
    sources = {
      namespaces: new Map([
        ['content', content],
        ['search', search],
      ]),
      memory: { entries: 30, bytes: MIB, maxBytes: 4 * MIB, maxEntries: 40 },
      redis: REDIS,
      objectStore: STORE,
      hitRates: { recent: (name) => ({ ...NONE, oneMinute: name === undefined ? 0.5 : 0.25 }) },
    };
  });

  it('stand for each tier and namespace', () => {
    Object.assign(content, { memoryHits: 6, memoryMisses: 4, redisHits: 1, redisMisses: 3, objectHits: 2 });
    Object.assign(content, { objectMisses: 1, entries: 3, bytes: MIB, evictions: 2, expirations: 1 });
    Object.assign(content, {
      promotions: 1,
      objectPromotions: 2,
      staleHits: 2,
      staleOnError: 1,
      suspected: 9,
    });
    const it = describeCache(sources).namespaces['content']!;
    expect(it.memory).toEqual({
      ...{ hits: 6, misses: 4, hitRate: 0.6, entries: 3, bytes: MIB, evictions: 2, expirations: 1 },
      ...{ promotions: 0, utilization: 0.25 },
    });
    expect(it.redis).toMatchObject({ hits: 1, misses: 3, hitRate: 0.25, entries: null, promotions: 1 });
    expect(it.object).toMatchObject({ hits: 2, misses: 1, promotions: 2, utilization: null });
    expect(it).toMatchObject({
      reads: 10,
      hits: 9,
      hitRate: 0.9,
      staleHits: 2,
      staleOnError: 1,
      suspected: 9,
    });
    expect(it.recent.oneMinute).toBe(0.25);
  });

  it('tell what became of the loads', () => {
    const counts = {
      ...{
        coalesced: 1,
        clusterCoalesced: 2,
        leaseWaits: 3,
        refreshes: 4,
        earlyRefreshes: 5,
        softTimeouts: 6,
      },
      ...{ hardTimeouts: 7, cachedErrors: 8, overtaken: 9, refused: 10, bypassed: 11 },
    };
    Object.assign(content, { loads: 4, loadMs: 100, loadErrors: 1, ...counts });
    const { loads } = describeCache(sources).namespaces['content']!;
    expect(loads).toEqual({ count: 4, errors: 1, totalMs: 100, averageMs: 25, ...counts });
    expect(describeCache(sources).namespaces['search']?.loads.averageMs).toBe(0);
  });

  it('sum up over all', () => {
    Object.assign(content, { memoryHits: 1, memoryMisses: 1, redisHits: 1 });
    Object.assign(search, { memoryMisses: 2 });
    const all = describeCache(sources);
    expect(all).toMatchObject({ hitRate: 0.5, recent: { oneMinute: 0.5 }, redis: REDIS, objectStore: STORE });
    expect(all.memory.utilization).toBe(0.75);
  });

  it('have a short form with exactly six figures', () => {
    Object.assign(content, { memoryHits: 3, memoryMisses: 1, entries: 20 });
    Object.assign(search, { entries: 10 });
    expect(summarize(describeCache(sources))).toEqual({
      contentEntries: 20,
      searchEntries: 10,
      queryEntries: 0,
      totalMemoryMb: 1,
      utilizationPct: 25,
      cacheHitRate: 0.75,
    });
  });

  describe('as metrics', () => {
    const samplesOf = (name: string, from = sources) =>
      describeMetrics(describeCache(from)).find((it) => it.name === name)?.samples;

    it('have a sample for each namespace and tier whose figure is known', () => {
      Object.assign(content, { memoryHits: 1, redisHits: 2, objectHits: 3, evictions: 4 });
      const ofContent = samplesOf('cache_hits_total')?.filter((it) => it.labels?.['namespace'] === 'content');
      expect(ofContent).toEqual([
        { labels: { namespace: 'content', tier: 'memory' }, value: 1 },
        { labels: { namespace: 'content', tier: 'redis' }, value: 2 },
        { labels: { namespace: 'content', tier: 'object' }, value: 3 },
      ]);
      expect(samplesOf('cache_evictions_total')).toEqual([
        { labels: { namespace: 'content', tier: 'memory' }, value: 4 },
        { labels: { namespace: 'search', tier: 'memory' }, value: 0 },
      ]);
      expect(samplesOf('cache_hit_ratio')).toContainEqual({
        labels: { namespace: 'content', window: '1m' },
        value: 0.25,
      });
      expect(samplesOf('cache_utilization_ratio')).toEqual([
        { labels: { tier: 'memory' }, value: 0.75 },
        { labels: { tier: 'object' }, value: 0.25 },
      ]);
    });

    it('leave out the tiers that are not there', () => {
      const alone = {
        ...sources,
        redis: { ...REDIS, configured: false },
        objectStore: { ...STORE, configured: false, maxBytes: null, bytes: null },
      };
      expect(samplesOf('cache_hits_total', alone)?.map((it) => it.labels?.['tier'])).toEqual([
        'memory',
        'memory',
      ]);
      expect(samplesOf('cache_max_bytes', alone)).toHaveLength(1);
      expect(samplesOf('cache_redis_available', alone)).toBeUndefined();
      expect(samplesOf('cache_object_store_bytes', alone)).toBeUndefined();
      expect(samplesOf('cache_redis_available')).toEqual([{ value: 1 }]);
      expect(samplesOf('cache_redis_server_up')).toEqual([{ labels: { server: 'one:6379' }, value: 1 }]);
      expect(samplesOf('cache_object_store_evictions_total')).toEqual([{ value: 2 }]);
    });

    it('have names and helps as Prometheus wants them, each once', () => {
      const families = describeMetrics(describeCache(sources));
      for (const { name, type, help } of families) {
        expect(name).toMatch(type === 'counter' ? /^cache_[a-z_]+_total$/ : /^cache_[a-z_]+(?<!_total)$/);
        expect(help).not.toBe('');
      }
      expect(new Set(families.map((it) => it.name)).size).toBe(families.length);
    });
  });
});
