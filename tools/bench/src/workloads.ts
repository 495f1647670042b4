import { runBench } from './harness/bench.ts';
import { BenchStores } from './harness/stores.ts';
import type { SuiteOptions } from './harness/suite.ts';
import { runContentSuite } from './workloads/content-suite.ts';
import { runMemoriesSuite } from './workloads/memories-suite.ts';

await runBench({
  command: 'npm run bench:workloads',
  about: `Measures the workloads the naive way and ours, in one run, on a PostgreSQL and a Redis of its own. Progress goes to
stderr, the report to stdout. A whole run takes about fifteen minutes and writes tools/bench/results/workloads.{json,md}.`,
  title: 'The workloads, before and after',
  name: 'workloads',
  projects: [
    ...['content', 'memories', 'ai'].map((it) => `libs/${it}/tsconfig.lib.json`),
    'migrations/tsconfig.lib.json',
  ],
  packages: [
    ...['@peregrine/content', '@peregrine/memories', '@peregrine/ai', '@peregrine/cache'],
    ...['markdown-it', 'sanitize-html', 'openai', 'pg', 'typeorm'],
  ],
  start: () => BenchStores.start(),
  suites: {
    content: runContentSuite,
    memories: runMemoriesSuite,
    // Loaded late: the libraries are built before they run.
    ai: async (options: SuiteOptions, stores: BenchStores) =>
      (await import('./workloads/ai-suite.ts')).runAiSuite(options, stores),
  },
});
