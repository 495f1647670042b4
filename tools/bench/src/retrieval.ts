import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { runBench } from './harness/bench.ts';
import type { SuiteOptions } from './harness/suite.ts';
import { RetrievalBench } from './retrieval/bench-servers.ts';
import { renderRecallPlot, renderRegretPlot } from './retrieval/plots.ts';
import type { OnlineSamples } from './retrieval/suites/online-suite.ts';
import type { PlansSamples } from './retrieval/suites/plans-suite.ts';

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
    chunks: { type: 'string', help: 'of each world (default: 100000)' },
    'write-prior': { type: 'boolean', help: 'write what was learned of all worlds to libs/retrieval' },
  },
  start: (options) => RetrievalBench.start(options),
  suites: {
    // Loaded late: the library is built before they run.
    plans: async (...it: Run) => (await import('./retrieval/suites/plans-suite.ts')).runPlansSuite(...it),
    policies: async (...it: Run) =>
      (await import('./retrieval/suites/policies-suite.ts')).runPoliciesSuite(...it),
    online: async (...it: Run) => (await import('./retrieval/suites/online-suite.ts')).runOnlineSuite(...it),
    drift: async (...it: Run) => (await import('./retrieval/suites/drift-suite.ts')).runDriftSuite(...it),
    concurrency: async (...it: Run) =>
      (await import('./retrieval/suites/concurrency-suite.ts')).runConcurrencySuite(...it),
    'real-text': async (...it: Run) =>
      (await import('./retrieval/suites/real-text-suite.ts')).runRealTextSuite(...it),
  },
  /** The plots go beside the Markdown file. */
  finish: async ({ markdown, only }, { suites }) => {
    if (markdown === undefined) return;
    const samplesOf = <T>(suite: (typeof only)[number]) =>
      suites[only.indexOf(suite)]?.samples as T | undefined;
    const write = (name: string, text: string) => writeFile(join(dirname(markdown), name), text);
    const plans = samplesOf<PlansSamples>('plans');
    if (plans) await write('retrieval-recall.svg', renderRecallPlot(plans.bands));
    const online = samplesOf<OnlineSamples>('online');
    if (online) await write('retrieval-regret.svg', renderRegretPlot(online));
  },
});
