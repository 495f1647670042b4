import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { runCorrectnessSuite } from './cache/correctness/correctness-suite.ts';
import type { HitRatioReport } from './cache/hit-ratio.ts';
import { runMemorySuite } from './cache/memory/memory-suite.ts';
import { runDeadRedisSuite } from './cache/redis/dead-redis-suite.ts';
import { runRedisSuite } from './cache/redis/redis-suite.ts';
import { runStampedeSuite } from './cache/stampede/stampede-suite.ts';
import { runBench } from './harness/bench.ts';
import { BenchRedis } from './harness/redis-server.ts';

await runBench({
  command: 'npm run bench:cache',
  about: `Measures the cache beside its peers: each library in processes of its own, in turn, medians. Progress goes to stderr,
the report to stdout. A whole run takes about fifteen minutes and writes tools/bench/results/cache.{json,md} and
hit-ratio.svg.`,
  title: 'The cache beside its peers',
  name: 'cache',
  projects: ['libs/cache/tsconfig.lib.json'],
  packages: [
    '@peregrine/cache',
    'lru-cache',
    'layered-loader',
    'cache-manager',
    'cacheable',
    'bentocache',
    'keyv',
    '@keyv/redis',
    'ioredis',
    'msgpackr',
    'transitory',
    '@neophi/sieve-cache',
  ],
  start: () => BenchRedis.start(),
  suites: {
    memory: runMemorySuite,
    redis: runRedisSuite,
    'dead-redis': runDeadRedisSuite,
    stampede: runStampedeSuite,
    correctness: runCorrectnessSuite,
    // These import the library, which is not built before.
    'hit-ratio': async (options) => (await import('./cache/hit-ratio.ts')).runHitRatio(options),
    bytes: async (options) => (await import('./cache/memory-accuracy.ts')).runMemoryAccuracy(options),
  },
  /** The plot goes beside the Markdown file. */
  finish: async ({ markdown, only }, { suites }) => {
    const samples = suites[only.indexOf('hit-ratio')]?.samples;
    if (markdown === undefined || samples === undefined) return;
    const { renderHitRatioPlot } = await import('./cache/hit-ratio-plot.ts');
    await writeFile(join(dirname(markdown), 'hit-ratio.svg'), renderHitRatioPlot(samples as HitRatioReport));
  },
});
