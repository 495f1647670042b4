import { variantOf, type VariantId, variantsOf } from '../libraries/variants.ts';
import { formatNumber, formatRatio, type Line, type SuiteResult, type Table } from '../../harness/report.ts';
import { runRounds } from '../../harness/rounds.ts';
import { mediansOf } from '../../harness/statistics.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import { runWorker } from '../../harness/worker-process.ts';
import type { BenchRedis } from '../../harness/redis-server.ts';
import type { RedisInput, RedisSample } from './redis-worker.ts';

type Medians = Partial<Record<keyof RedisSample, number>>;

const WORKER = new URL('redis-worker.ts', import.meta.url);

/** What a value costs that is in Redis and not in memory. */
export async function runRedisSuite(
  { repetitions, isQuick, progress }: SuiteOptions,
  redis: BenchRedis,
): Promise<SuiteResult> {
  const keyCount = isQuick ? 1_000 : 4_000;
  const variants = variantsOf('redis');
  const samples = await runRounds(variants, repetitions, progress, async (variant) => {
    await redis.flush();
    const input: RedisInput = { variant, keyCount, redisUrl: redis.url };
    return runWorker<RedisSample>(WORKER, input);
  });
  const medians = new Map(variants.map((id) => [id, mediansOf<keyof RedisSample>(samples.get(id) ?? [])]));
  return {
    title: 'Redis behind an empty memory tier',
    notes: [
      `Redis on loopback in a process of its own; each library in ${repetitions} processes in turn, medians. Every figure starts with`,
      `a new instance, so that each of the ${formatNumber(keyCount)} keys is a hit in Redis and none in memory; the values go to memory on the`,
      'way, as they do in an application. "x" is the p50 beside that of raw ioredis GET and `JSON.parse`, made in turn with it',
      'in the same process. bentocache, layered-loader and peregrine have their bus on; cache-manager and cacheable have',
      'none. The rates are wall-clock time and lean on what else the machine does.',
    ],
    tables: [table(variants, medians)],
    lines: linesOf(medians),
    samples: Object.fromEntries(samples),
  };
}

function table(variants: readonly VariantId[], medians: ReadonlyMap<VariantId, Medians>): Table {
  return {
    caption: 'Hits in Redis:',
    columns: [
      'Library',
      'getOrSet p50, µs',
      'x',
      'p99, µs',
      'CPU, µs',
      'get p50, µs',
      'x',
      '64 callers, hits/s',
      'getMany of 100, keys/s',
      'CPU a key, µs',
      'set, 1/s',
    ],
    rows: variants.map((id) => {
      const it = medians.get(id) ?? {};
      return [
        variantOf(id).name,
        formatNumber(it.hitP50),
        formatRatio(it.hitRatio),
        formatNumber(it.hitP99),
        formatNumber(it.hitCpu),
        formatNumber(it.getP50),
        formatRatio(it.getRatio),
        formatNumber(it.hitsPerSecond64),
        formatNumber(it.manyKeysPerSecond),
        formatNumber(it.manyCpuPerKey),
        formatNumber(it.setsPerSecond),
      ];
    }),
  };
}

function linesOf(medians: ReadonlyMap<VariantId, Medians>): Line[] {
  const of = (id: VariantId, field: keyof RedisSample) => medians.get(id)?.[field] ?? Number.NaN;
  const hit = (id: VariantId, what: string, field: 'hitRatio' | 'getRatio'): Line => ({
    what,
    measured: of(id, field),
    limit: 1.3,
    bound: 'at most',
    unit: 'times',
  });
  return [
    hit('peregrine', 'p50 of `get` that hits in Redis, beside raw ioredis GET and decode', 'getRatio'),
    hit('peregrine', 'p50 of `getOrSet` that hits in Redis, beside the same', 'hitRatio'),
    hit(
      'peregrine-tags',
      'p50 of `getOrSet` with three tags that hits in Redis, beside the same',
      'hitRatio',
    ),
    {
      what: '`getMany` of 100 that hits in Redis, beside cacheable',
      measured: of('peregrine', 'manyKeysPerSecond') / of('cacheable', 'manyKeysPerSecond'),
      limit: 10,
      bound: 'at least',
      unit: 'times its rate',
    },
  ];
}
