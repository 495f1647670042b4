import { runBench } from './harness/bench.ts';
import type { SuiteOptions } from './harness/suite.ts';
import { RetrievalBench } from './retrieval/bench-servers.ts';

type Run = [options: SuiteOptions, servers: RetrievalBench];

await runBench({
  command: 'npm run bench:retrieval',
  about: `Measures the plans of retrieval on worlds of 100,000 chunks with a graph, and the choice among them beside rules and
beside the oracle; learning on line, drift, 16 callers beside writers, and real text. On a PostgreSQL of its own. Progress goes
to stderr, the report to stdout. A whole run writes tools/bench/results/retrieval.{json,md} and its plots.`,
  title: 'Retrieval and the choice of its plan',
  name: 'retrieval',
  projects: ['libs/retrieval/tsconfig.lib.json', 'migrations/tsconfig.lib.json'],
  packages: ['@peregrine/retrieval', '@peregrine/query-optimizer', 'pg', 'typeorm'],
  flags: {
    seeds: { type: 'string', help: 'of the worlds, comma-separated (default: 1,2,3)' },
    'write-prior': { type: 'boolean', help: 'write what was learned of all worlds to libs/retrieval' },
  },
  start: (options) => RetrievalBench.start(options),
  suites: {
    // Loaded late: the library is built before they run.
    plans: async (...it: Run) => (await import('./retrieval/suites/plans-suite.ts')).runPlansSuite(...it),
  },
});
