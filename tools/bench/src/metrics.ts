import { runBench } from './harness/bench.ts';
import { runHelloSuite } from './metrics/hello-suite.ts';
import { runInstrumentsSuite } from './metrics/instruments-suite.ts';
import { runScrapeSuite } from './metrics/scrape-suite.ts';

await runBench({
  command: 'npm run bench:metrics',
  about: `Measures what figures cost: counting a request and answering a scrape beside prom-client and OpenTelemetry, and a Nest
service with and without timing, figures, limits and API keys. Each in a process of its own, in turn, medians. Progress goes to stderr,
the report to stdout. A whole run takes about five minutes and writes tools/bench/results/metrics.{json,md}.`,
  title: 'What figures cost, beside the peers',
  name: 'metrics',
  projects: ['libs/runtime/tsconfig.lib.json'],
  packages: [
    '@peregrine/metrics',
    'prom-client',
    '@opentelemetry/api',
    '@opentelemetry/sdk-metrics',
    '@nestjs/core',
    'fastify',
  ],
  start: () => Promise.resolve({ versions: {}, stop: () => Promise.resolve() }),
  suites: { instruments: runInstrumentsSuite, scrape: runScrapeSuite, hello: runHelloSuite },
});
