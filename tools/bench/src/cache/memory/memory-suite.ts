import { variantOf, type VariantId, variantsOf } from '../libraries/variants.ts';
import { formatNumber, formatRatio, type Line, type SuiteResult, type Table } from '../../harness/report.ts';
import { mediansOf } from '../../harness/statistics.ts';
import { runRounds } from '../../harness/rounds.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import { runWorker } from '../../harness/worker-process.ts';
import type { MemoryInput, MemorySample } from './memory-worker.ts';

type Medians = Partial<Record<keyof MemorySample, number>>;

const WORKER = new URL('memory-worker.ts', import.meta.url);
/** Whom a hit of ours has to beat by ten times: as they come, and as fast as they can be made. */
const RIVALS: VariantId[] = [
  'bentocache',
  'bentocache-no-serialize',
  'bentocache-tags',
  'cacheable',
  'cacheable-no-clone',
];

/** What one operation in memory costs. */
export async function runMemorySuite({ repetitions, isQuick, progress }: SuiteOptions): Promise<SuiteResult> {
  const size = isQuick ? { keyCount: 2_000, windowMs: 100 } : { keyCount: 10_000, windowMs: 200 };
  const variants = variantsOf('memory');
  const samples = await runRounds(variants, repetitions, progress, (variant) =>
    runWorker<MemorySample>(WORKER, { variant, ...size } satisfies MemoryInput),
  );
  const medians = new Map(variants.map((id) => [id, mediansOf(samples.get(id) ?? [])]));
  return {
    title: 'In memory',
    notes: [
      `Microseconds of CPU for one operation (\`process.cpuUsage\`: with garbage collection and compilation), median of`,
      `${repetitions} processes for each library, one after the other in turn. ${formatNumber(size.keyCount)} keys asked for as by Zipf's law,`,
      'small objects, after a warm-up. Loader and options are made anew for every call, as applications do it, and what',
      'returns a promise is awaited. "x" is the cost of a `getOrSet` hit beside "peregrine + 3 tags". Features differ: Map',
      'and cache-manager have no limit, and these two, lru-cache, layered-loader and the variants without clone or',
      'serialization hand out the stored object itself.',
    ],
    tables: [table(variants, medians)],
    lines: linesOf(medians),
    samples: Object.fromEntries(samples),
  };
}

function table(variants: readonly VariantId[], medians: ReadonlyMap<VariantId, Medians>): Table {
  const ours = medians.get('peregrine-tags')?.getOrSetHitCpu ?? Number.NaN;
  return {
    caption: 'CPU for one operation, µs:',
    columns: ['Library', 'getOrSet hit', 'x', 'get hit', 'set', 'getOrSet miss', 'wall: getOrSet hit'],
    rows: variants.map((id) => {
      const it = medians.get(id) ?? {};
      return [
        variantOf(id).name,
        formatNumber(it.getOrSetHitCpu),
        formatRatio(it.getOrSetHitCpu === undefined ? undefined : it.getOrSetHitCpu / ours),
        formatNumber(it.getHitCpu),
        formatNumber(it.setCpu),
        formatNumber(it.getOrSetMissCpu),
        formatNumber(it.getOrSetHitWall),
      ];
    }),
  };
}

function linesOf(medians: ReadonlyMap<VariantId, Medians>): Line[] {
  const hit = (id: VariantId) => medians.get(id)?.getOrSetHitCpu ?? Number.NaN;
  const get = (id: VariantId) => medians.get(id)?.getHitCpu ?? Number.NaN;
  const ours = hit('peregrine-tags');
  const rivals = RIVALS.map((id): Line => ({
    what: `\`getOrSet\` hit with three tags beside ${variantOf(id).name}`,
    measured: hit(id) / ours,
    limit: 10,
    bound: 'at least',
    unit: 'times faster',
  }));
  return [
    {
      what: '`getOrSet` hit in memory with three tags and metrics on',
      measured: ours,
      limit: 0.5,
      bound: 'at most',
      unit: 'µs CPU',
    },
    ...rivals,
    {
      what: '`MemoryTier.get` hit beside `get` of lru-cache',
      measured: get('peregrine-tier') / get('lru-cache'),
      limit: 2,
      bound: 'at most',
      unit: 'times its CPU',
    },
  ];
}
