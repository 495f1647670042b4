import { runChecksSuite } from './cdn/checks-suite.ts';
import { runEdgeSuite } from './cdn/edge-suite.ts';
import { runServingSuite } from './cdn/serving-suite.ts';
import { nginxVersion } from './cdn/servers/nginx.ts';
import { runBench } from './harness/bench.ts';

await runBench({
  command: 'npm run bench:cdn',
  about: `Measures the static file origin beside node:http from memory, nginx, sirv, @fastify/static and express.static: each server in
a process of its own, in turn, medians; and what nginx in front takes off the origin. Progress goes to stderr, the report to stdout. A whole run takes about ten
minutes and writes tools/bench/results/cdn.{json,md}.`,
  title: 'The static file origin beside its peers',
  name: 'cdn',
  projects: ['libs/cdn/tsconfig.lib.json'],
  packages: ['@peregrine/cdn', 'fastify', '@fastify/static', 'sirv', 'express'],
  start: async () => ({
    versions: { nginx: (await nginxVersion()) ?? 'not installed: left out' },
    stop: () => Promise.resolve(),
  }),
  suites: { checks: runChecksSuite, serving: runServingSuite, edge: runEdgeSuite },
});
