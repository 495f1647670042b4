import { runBench } from './harness/bench.ts';
import { BenchPostgres } from './harness/postgres-server.ts';
import {
  runFloodSuite,
  runHitsSuite,
  runLoadSuite,
  runOverheadSuite,
  runStatementsSuite,
} from './query/suites.ts';

await runBench({
  command: 'npm run bench:query',
  about: `Measures the query optimizer beside pg's pool and TypeORM, with and without its own cache, on a PostgreSQL of its own.
Progress goes to stderr, the report to stdout. A whole run takes about ten minutes and writes
tools/bench/results/query.{json,md}.`,
  title: 'The query optimizer beside its peers',
  name: 'query',
  projects: ['libs/query-optimizer/tsconfig.lib.json', 'libs/database/tsconfig.lib.json'],
  packages: ['@peregrine/query-optimizer', 'pg', 'typeorm', 'libpg-query'],
  start: () =>
    BenchPostgres.start({
      shared_preload_libraries: 'pg_stat_statements',
      'pg_stat_statements.track': 'all',
    }),
  suites: {
    hits: runHitsSuite,
    overhead: runOverheadSuite,
    flood: runFloodSuite,
    load: runLoadSuite,
    statements: runStatementsSuite,
  },
});
