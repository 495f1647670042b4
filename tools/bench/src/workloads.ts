import { runBench } from './harness/bench.ts';
import type { SuiteOptions } from './harness/suite.ts';
import { WorkloadServers } from './workloads/servers.ts';

type Run = [options: SuiteOptions, servers: WorkloadServers];

await runBench({
  command: 'npm run bench:workloads',
  about: `Measures the workload libraries beside the naive way of doing the same, on a PostgreSQL and a Redis of their own.
Progress goes to stderr, the report to stdout. A whole run writes tools/bench/results/workloads.{json,md}.`,
  title: 'The workloads beside the naive way',
  name: 'workloads',
  projects: ['libs/ai/tsconfig.lib.json', 'migrations/tsconfig.lib.json'],
  packages: ['@peregrine/ai', '@peregrine/cache', 'openai'],
  start: () => WorkloadServers.start(),
  suites: {
    // Loaded late: the libraries are built before they run.
    ai: async (...it: Run) => (await import('./workloads/ai-suite.ts')).runAiSuite(...it),
  },
});
