import { runBench } from './harness/bench.ts';
import { BenchStores } from './harness/stores.ts';
import {
  runBatchesSuite,
  runCountsSuite,
  runFloodSuite,
  runLatencySuite,
  runProcessingSuite,
  runSubmissionSuite,
} from './task-queue/suites.ts';

await runBench({
  command: 'npm run bench:queue',
  about: `Measures the task queue beside bare BullMQ, pg-boss and graphile-worker on a Redis and a PostgreSQL of its own: each
library in processes of its own on an empty store, in turn, medians. Progress goes to stderr, the report to stdout. A
whole run takes about twenty minutes and writes tools/bench/results/task-queue.{json,md}.`,
  title: 'The task queue beside its peers',
  name: 'task-queue',
  projects: ['libs/task-queue/tsconfig.lib.json', 'libs/database/tsconfig.lib.json'],
  packages: ['@peregrine/task-queue', 'bullmq', 'ioredis', 'pg', 'pg-boss', 'graphile-worker'],
  start: () => BenchStores.start(),
  suites: {
    submission: runSubmissionSuite,
    processing: runProcessingSuite,
    batches: runBatchesSuite,
    counts: runCountsSuite,
    latency: runLatencySuite,
    flood: runFloodSuite,
  },
});
