import { variantOf, type VariantId, variantsOf } from '../libraries/variants.ts';
import { describeOverhead, measureDeath } from '../redis/dead-redis-suite.ts';
import { BenchRedis } from '../../harness/redis-server.ts';
import type { Line, SuiteResult } from '../../harness/report.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import { runWorker } from '../../harness/worker-process.ts';
import type { CorrectnessInput, Findings } from './correctness-worker.ts';
import { bad, type Finding, good, none } from './probe.ts';

const WORKER = new URL('correctness-worker.ts', import.meta.url);
const DEAD_REDIS = 'Redis killed: a cold `getOrSet`, worst of 20, beyond its loader';
const DEAD_REDIS_LIMIT_MS = 1_000;

/** What each library makes of the moments in which caches go wrong. */
export async function runCorrectnessSuite({ progress }: SuiteOptions): Promise<SuiteResult> {
  const variants = variantsOf('correctness');
  const results = await progress.step(`probes of ${variants.length} libraries`, () =>
    Promise.all(variants.map(async (id) => [id, await probe(id)] as const)),
  );
  const titles = results[0]?.[1].map(([title]) => title) ?? [];
  return {
    title: 'Correctness',
    notes: [
      'One deterministic experiment each, with default options and one Redis for each library; what goes wrong is in bold.',
      'peregrine, bentocache and layered-loader have their bus. cacheable has no tags in `getOrSet`: its tag probe uses `get`',
      'and `set`, as its users have to. lru-cache has one tier.',
    ],
    tables: [
      {
        caption: 'What happens:',
        columns: ['Probe', ...variants.map((id) => variantOf(id).name)],
        isText: true,
        rows: titles.map((title, i) => [title, ...results.map(([, findings]) => cellOf(findings[i]?.[1]))]),
      },
    ],
    lines: linesOf(results),
    samples: Object.fromEntries(results),
  };
}

async function probe(variant: VariantId): Promise<Findings> {
  const redis = await BenchRedis.start();
  try {
    const input: CorrectnessInput = { variant, redisUrl: redis.url };
    const [findings, dead] = await Promise.all([runWorker<Findings>(WORKER, input), probeDeadRedis(variant)]);
    return [...findings, [DEAD_REDIS, dead]];
  } finally {
    await redis.stop();
  }
}

async function probeDeadRedis(variant: VariantId): Promise<Finding> {
  if (!variantOf(variant).suites.includes('dead-redis')) return none();
  const sample = await measureDeath(variant, 'killed');
  const isQuick = sample.worstMs !== null && sample.worstMs <= DEAD_REDIS_LIMIT_MS;
  return (isQuick ? good : bad)(describeOverhead(sample));
}

const cellOf = (finding: Finding | undefined): string => {
  if (finding === undefined) return 'n/a';
  return finding.verdict === 'bad' ? `**${finding.text}**` : finding.text;
};

function linesOf(results: readonly (readonly [VariantId, Findings])[]): Line[] {
  const ours = results.find(([id]) => id === 'peregrine')?.[1] ?? [];
  return [
    {
      what: 'Correctness probes that go wrong in peregrine',
      measured: ours.filter(([, finding]) => finding.verdict !== 'good').length,
      limit: 0,
      bound: 'at most',
      unit: 'probes',
    },
  ];
}
