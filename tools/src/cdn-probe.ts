import type { ProbeResult } from '@peregrine/cdn/testing';
import { styleText } from 'node:util';

import { build } from './build.ts';
import { parseOptions, parseWholeNumber, runCommand } from './command-line.ts';
import { fromCallersFolder } from './paths.ts';
import { UsageError } from './tools.errors.ts';

const HELP = `Usage: npm run cdn:probe -- <url> [options]
       npm run cdn:probe -- --write-fixture <folder>

Asks a static file server what RFC 9110 and 9111 say about it, over raw sockets: basics, negotiation, conditions, ranges,
paths. The server must serve the folder "public" that --write-fixture writes, at the URL that is given.

  --write-fixture <folder>  write the files that the probe asks for into an empty folder
  --group <name>            only basics, negotiation, conditions, ranges or paths
  --fuzz <n>                then send n requests that nobody would: no 5xx, no byte from outside of the folder
  --seed <n>                of these requests (default: 1)
  --no-build                use the library as it was built before
  --help                    this text

Exit code 0: everything right. 1: something is not, and is listed; checks marked "policy" are ours, the others the RFC's.`;

const options = {
  'write-fixture': { type: 'string' },
  group: { type: 'string' },
  fuzz: { type: 'string' },
  seed: { type: 'string', default: '1' },
  build: { type: 'boolean', default: true },
  help: { type: 'boolean', default: false },
} as const;

await runCommand(async () => {
  const { values, positionals } = parseOptions('npm run cdn:probe --', {
    options,
    allowPositionals: true,
    allowNegative: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [url] = positionals;
  const fixture = values['write-fixture'];
  if ((url === undefined) === (fixture === undefined) || positionals.length > 1) {
    throw new UsageError(`Give a URL, or --write-fixture.\n\n${HELP}`);
  }
  if (values.build) await build();
  const testing = await import('@peregrine/cdn/testing');
  if (fixture !== undefined) {
    console.log(`Serve this folder: ${await testing.writeProbeFixture(fromCallersFolder(fixture))}`);
    return 0;
  }
  const base = parseUrl(url ?? '');
  const checks = testing.PROBE_CHECKS.filter((it) => values.group === undefined || it.group === values.group);
  if (checks.length === 0) throw new UsageError(`--group: there is no group ${JSON.stringify(values.group)}`);
  const results = await testing.runProbe(base, { checks, onResult: print });
  console.log(summaryOf(results));
  const isRight = results.every((it) => it.problem === undefined);
  if (values.fuzz === undefined) return isRight ? 0 : 1;
  const requests = parseWholeNumber('--fuzz', values.fuzz, [1, 100_000_000]);
  const seed = parseWholeNumber('--seed', values.seed, [0, 999_999_999]);
  const { problems, statuses } = await testing.runFuzz(base, { requests, seed });
  console.log(`${requests} fuzzed requests: ${JSON.stringify(statuses)}, ${problems.length} problems`);
  for (const it of problems) console.log(`  ${it}`);
  return isRight && problems.length === 0 ? 0 : 1;
});

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:') return url;
  throw new UsageError(`Given ${JSON.stringify(text)}, expected an address such as http://127.0.0.1:8080/`);
}

function print({ check, problem }: ProbeResult): void {
  const mark = problem === undefined ? styleText('green', '✔') : styleText('red', '✖');
  const why = problem === undefined ? '' : `: ${problem}${check.source === 'policy' ? ' (policy)' : ''}`;
  console.log(`${mark} ${check.group}: ${check.title}${why}`);
}

/** One line for each group, and one for all. */
function summaryOf(results: readonly ProbeResult[]): string {
  const count = (some: readonly ProbeResult[]) =>
    `${some.filter((it) => it.problem === undefined).length} of ${some.length}`;
  const groups = Object.entries(Object.groupBy(results, (it) => it.check.group));
  return [...groups.map(([group, some]) => `${group}: ${count(some)}`), `all: ${count(results)}`].join(', ');
}
