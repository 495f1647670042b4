import { variantOf, type VariantId, variantsOf } from '../libraries/variants.ts';
import { formatNumber, type Line, type SuiteResult } from '../../harness/report.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import { runWorker } from '../../harness/worker-process.ts';
import { BenchRedis, findFreePort } from '../../harness/redis-server.ts';
import type { DeadRedisInput, DeadRedisSample } from './dead-redis-worker.ts';

const WORKER = new URL('dead-redis-worker.ts', import.meta.url);
const CAP_TEXT = 'no answer in 8 s';

/** What has become of Redis: it was killed, it hangs with its connections open, or it was never there. */
export const DEATHS = ['killed', 'hangs', 'never there'] as const;
export type Death = (typeof DEATHS)[number];

type Samples = ReadonlyMap<VariantId, Readonly<Record<Death, readonly DeadRedisSample[]>>>;

/** A cold `getOrSet` without Redis. All libraries at once: they wait more than they work. */
export async function runDeadRedisSuite({
  repetitions,
  isQuick,
  progress,
}: SuiteOptions): Promise<SuiteResult> {
  const rounds = isQuick ? 1 : Math.min(repetitions, 3);
  const variants = variantsOf('dead-redis');
  const samples = new Map(variants.map((id) => [id, emptyRecord()]));
  for (let round = 0; round < rounds; round++) {
    for (const death of DEATHS) {
      await progress.step(`round ${round + 1} of ${rounds}: Redis ${death}`, () =>
        Promise.all(variants.map(async (id) => samples.get(id)?.[death].push(await measureDeath(id, death)))),
      );
    }
  }
  return {
    title: 'Redis dead',
    notes: [
      `Milliseconds that a cold \`getOrSet\` takes beyond its loader (20 ms) with every library's default client, and with`,
      `two tiers, connected and working before. The first call, and the worst of 20 one after the other; the worst of`,
      `${rounds} processes each. Nobody waits longer than 8 seconds.`,
    ],
    tables: [
      {
        caption: 'Time beyond the loader, ms:',
        columns: ['Library', ...DEATHS.flatMap((it) => [`${it}: first`, `${it}: worst of 20`])],
        rows: variants.map((id) => [
          variantOf(id).name,
          ...DEATHS.flatMap((death) => cellsOf(samples.get(id)?.[death] ?? [])),
        ]),
      },
    ],
    lines: linesOf(samples),
    samples: Object.fromEntries(samples),
  };
}

/** One library on a Redis of its own, which dies before the measured calls. */
export async function measureDeath(variant: VariantId, death: Death): Promise<DeadRedisSample> {
  if (death === 'never there') {
    const redisUrl = `redis://127.0.0.1:${await findFreePort()}`;
    return runWorker(WORKER, { variant, redisUrl, isAbsent: true } satisfies DeadRedisInput);
  }
  const redis = await BenchRedis.start();
  try {
    const input: DeadRedisInput = { variant, redisUrl: redis.url, isAbsent: false };
    const die = () => (death === 'killed' ? redis.stop() : Promise.resolve(redis.pause()));
    return await runWorker<DeadRedisSample>(WORKER, input, { onReady: die });
  } finally {
    await redis.stop();
  }
}

/** The worst time beyond the loader in words. */
export function describeOverhead({ worstMs, error }: DeadRedisSample): string {
  if (error !== null) return error;
  return worstMs === null ? CAP_TEXT : `answers after at most ${formatNumber(worstMs)} ms`;
}

const emptyRecord = (): Record<Death, DeadRedisSample[]> => ({ killed: [], hangs: [], 'never there': [] });

const worstOf = (samples: readonly DeadRedisSample[], field: 'firstMs' | 'worstMs') =>
  Math.max(...samples.map((it) => it[field] ?? Number.POSITIVE_INFINITY));

function cellsOf(samples: readonly DeadRedisSample[]): [string, string] {
  const error = samples.find((it) => it.error !== null)?.error;
  if (error !== undefined && error !== null) return [error, error];
  const text = (value: number) => (Number.isFinite(value) ? formatNumber(value) : CAP_TEXT);
  return [text(worstOf(samples, 'firstMs')), text(worstOf(samples, 'worstMs'))];
}

function linesOf(samples: Samples): Line[] {
  return DEATHS.map((death) => ({
    what: `Cold \`getOrSet\` beyond its loader, Redis ${death}, worst of 20`,
    measured: worstOf(samples.get('peregrine')?.[death] ?? [], 'worstMs'),
    limit: 100,
    bound: 'at most',
    unit: 'ms',
  }));
}
