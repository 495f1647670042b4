import { runBench } from './harness/bench.ts';
import { BenchStores } from './task-queue/servers.ts';
import { runContentSuite } from './workloads/content-suite.ts';
import { runMemoriesSuite } from './workloads/memories-suite.ts';

await runBench({
  command: 'npm run bench:workloads',
  about: `Measures the workloads the naive way and ours, in one run, on a PostgreSQL and a Redis of its own. Progress goes to
stderr, the report to stdout. A whole run takes about fifteen minutes and writes tools/bench/results/workloads.{json,md}.`,
  title: 'The workloads, before and after',
  name: 'workloads',
  projects: ['content', 'memories']
    .map((it) => `libs/${it}/tsconfig.lib.json`)
    .concat('migrations/tsconfig.lib.json'),
  packages: ['@peregrine/content', '@peregrine/memories', 'markdown-it', 'sanitize-html', 'pg', 'typeorm'],
  start: () => BenchStores.start(),
  suites: { content: runContentSuite, memories: runMemoriesSuite },
});
