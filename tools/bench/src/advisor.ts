import { AdvisorServers } from './advisor/servers.ts';
import type { SuiteOptions } from './harness/suite.ts';
import { runBench } from './harness/bench.ts';

type Run = [options: SuiteOptions, servers: AdvisorServers];
const foreign = () => import('./advisor/foreign-suites.ts');

await runBench({
  command: 'npm run bench:advisor',
  about: `Loads databases without their secondary indexes (pagila; 8 tables with 22 queries for decisions; 21 tables with 113
joins), asks the advisor, builds what it recommends, and measures again: on a PostgreSQL of the system with HypoPG, and on
the embedded PostgreSQL 18 without it. The suite replay sends 10,000 statements with and without the watch for slow queries.
Progress goes to stderr, the report to stdout. A whole run writes tools/bench/results/advisor.{json,md}.`,
  title: 'The index advisor',
  name: 'advisor',
  projects: ['libs/query-optimizer/tsconfig.lib.json', 'libs/database/tsconfig.lib.json'],
  packages: ['@peregrine/query-optimizer', 'libpg-query', 'pg'],
  start: () => AdvisorServers.start(),
  suites: {
    // Loaded late: the advisor is built before they run.
    hypopg: async (...it: Run) => (await import('./advisor/suites.ts')).runHypoPgSuite(...it),
    'sample-clone': async (...it: Run) => (await import('./advisor/suites.ts')).runSampleCloneSuite(...it),
    'decision-support': async (...it: Run) => (await foreign()).decisionSupportSuite(...it),
    'decision-support-clone': async (...it: Run) => (await foreign()).decisionSupportCloneSuite(...it),
    'join-heavy': async (...it: Run) => (await foreign()).joinHeavySuite(...it),
    replay: async (...it: Run) => (await import('./advisor/replay.ts')).runReplaySuite(...it),
    'join-heavy-clone': async (...it: Run) => (await foreign()).joinHeavyCloneSuite(...it),
  },
});
