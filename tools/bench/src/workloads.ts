import { runBench } from './harness/bench.ts';
import { BenchStores } from './task-queue/servers.ts';
import { runMemoriesSuite } from './workloads/memories-suite.ts';

await runBench({
  command: 'npm run bench:workloads',
  about: `Measures the workloads the naive way and ours, in one run, on a PostgreSQL and a Redis of its own. Progress goes to
stderr, the report to stdout. A whole run writes tools/bench/results/workloads.{json,md}.`,
  title: 'The workloads, before and after',
  name: 'workloads',
  projects: ['libs/memories/tsconfig.lib.json', 'migrations/tsconfig.lib.json'],
  packages: ['@peregrine/memories', 'pg', 'typeorm'],
  start: () => BenchStores.start(),
  suites: { memories: runMemoriesSuite },
});
