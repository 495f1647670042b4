import { formatNumber, type Line, type SuiteResult } from '../../harness/report.ts';
import { quantile } from '../../harness/statistics.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import type { RetrievalBench } from '../bench-servers.ts';
import { callBesideWriters, CALLERS, TEXTS_OF_A_WRITE, WRITERS } from '../measure/concurrency.ts';
import { mean } from '../policies/judge.ts';
import { FLOOR } from '../world/shape.ts';

/** Sixteen callers while others write, beside a workspace with the very same vectors. */
export async function runConcurrencySuite(
  { progress }: SuiteOptions,
  bench: RetrievalBench,
): Promise<SuiteResult> {
  const [seed = 1] = bench.seeds;
  const seen = await bench.withWorld(bench.shapeOf(seed), progress, (stored) =>
    progress.step(`${CALLERS} callers beside ${WRITERS} writers`, () => callBesideWriters(stored)),
  );
  const under = seen.recalls.filter((it) => it < FLOOR).length / seen.recalls.length;
  const line = (what: string, measured: number, limit: number, unit: string): Line => ({
    ...{ what: `${CALLERS} callers beside writers: ${what}`, measured, limit, bound: 'at most', unit },
  });
  return {
    title: 'Callers beside writers',
    notes: [
      `${CALLERS} callers ask the questions of world ${seed}, while ${WRITERS} writers put passages of ${TEXTS_OF_A_WRITE} chunks in the place of each other, far from every question:`,
      'what is right does not change, and each write makes what is in memory worthless. Another workspace has the first chunks with the same vectors.',
    ],
    tables: [
      {
        caption: 'What they saw:',
        columns: ['answers', 'writes', 'mean recall', 'p50, ms', 'p95, ms', 'foreign hits'],
        rows: [
          [
            ...[formatNumber(seen.recalls.length), formatNumber(seen.writes), mean(seen.recalls).toFixed(5)],
            ...[quantile(seen.wallMs, 0.5), quantile(seen.wallMs, 0.95), seen.foreign].map(formatNumber),
          ],
        ],
      },
    ],
    lines: [
      line(`answers under recall ${FLOOR}`, 100 * under, 0.5, '%'),
      line('hits of another workspace', seen.foreign, 0, ''),
      line('longest turn of the event loop', seen.longestTurnMs, 5, 'ms'),
    ],
    samples: seen,
  };
}
