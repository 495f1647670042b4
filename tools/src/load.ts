import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseOptions, parseWholeNumber, runCommand } from './command-line.ts';
import { type Interrupt, listenForInterrupt } from './interrupt.ts';
import { planArrivals, standardStages } from './load/arrivals.ts';
import { compareTrees } from './load/compare.ts';
import { type LoadReport, type LoadSetup, makeReport, renderMarkdown, renderReport } from './load/report.ts';
import { runLoad } from './load/run-load.ts';
import { runSoak } from './load/soak.ts';
import { writeSoakReport } from './load/soak-report.ts';
import { parseDuration, parseMinutes, parseMix } from './load/stage-options.ts';
import { prepareTarget, removeTarget } from './load/target.ts';
import { MIXES } from './load/workload.ts';
import { DEFAULT_DATA_FOLDER, fromCallersFolder } from './paths.ts';
import { findOrStartPlatform } from './platform/find-or-start.ts';
import { TerminalReporter } from './reporter.ts';
import { InterruptedError, UsageError } from './tools.errors.ts';

const HELP = `Usage: npm run load -- [options]

Loads a platform with 0 to 10 to 50 to 0 users over four minutes, and writes load.json, load.md and two plots. The model
is open: requests are due at random times, do not wait for each other, and are measured from when they were due. Uses the
platform that "npm start" runs on the data folder, else starts one for the duration.

  --quick             30 seconds instead of four minutes
  --seconds <number>  so long instead
  --rate <number>     requests a second of each user (default: 1)
  --mix <name>        ${Object.keys(MIXES).join(', ')} (default: content)
  --seed <number>     the same number, the same requests (default: 1)
  --url <address>     load the api there, with the key in LOAD_API_KEY (scopes content:* or memories:* of the mix)
  --data <folder>     data folder of the platform (default: .peregrine)
  --out <folder>      where the report goes (default: .peregrine/load)
  --check             exit code 1 when a goal is missed: p95 under 400 ms, errors under 1 %
  --compare <commit>  run a platform of that commit, or of the built clone in that folder, beside this one, in short rounds
                      in turn on the same requests, and compare ratios; exit code 1 when this one is slower
  --soak <minutes>    ten users all the time, on a platform of its own with small caches: does memory grow? Writes soak.json,
                      soak.md and a plot; exit code 1 when it does
  --no-build          of --soak: what was built before
  --rounds <number>   of --compare, of five seconds each, or of --seconds (default: 10)
  --help              this text`;

const options = {
  quick: { type: 'boolean', default: false },
  seconds: { type: 'string' },
  rate: { type: 'string', default: '1' },
  mix: { type: 'string', default: 'content' },
  seed: { type: 'string', default: '1' },
  url: { type: 'string' },
  data: { type: 'string' },
  out: { type: 'string' },
  check: { type: 'boolean', default: false },
  compare: { type: 'string' },
  soak: { type: 'string' },
  'no-build': { type: 'boolean', default: false },
  rounds: { type: 'string', default: '10' },
  help: { type: 'boolean', default: false },
} as const;

await runCommand(async () => {
  const { values } = parseOptions('npm run load --', { options });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const setup: LoadSetup = {
    stages: standardStages(parseDuration({ seconds: values.seconds, quick: values.quick })),
    mix: parseMix(values.mix),
    requestsPerUser: parseWholeNumber('--rate', values.rate, [1, 1_000]),
    seed: parseWholeNumber('--seed', values.seed, [0, 999_999_999]),
  };
  const rounds = parseWholeNumber('--rounds', values.rounds, [1, 1_000]);
  const out = values.out === undefined ? join(DEFAULT_DATA_FOLDER, 'load') : fromCallersFolder(values.out);
  const interrupt = listenForInterrupt();
  try {
    if (values.compare !== undefined) {
      const roundSeconds =
        values.seconds === undefined ? 5 : parseDuration({ ...values, seconds: values.seconds });
      const reporter = new TerminalReporter();
      const old = values.compare;
      return await compareTrees({ old, out, rounds, roundSeconds, setup, reporter, signal: interrupt.stop });
    }
    if (values.soak !== undefined) {
      const seconds = parseMinutes('--soak', values.soak) * 60;
      const soak = await runSoak({
        ...{ seconds, setup, build: !values['no-build'] },
        reporter: new TerminalReporter(),
        signal: interrupt.stop,
      });
      const { report, text } = await writeSoakReport(soak, out);
      console.log(`\n${text}\nWritten to ${out}`);
      return report.isFlat ? 0 : 1;
    }
    const report = await loadPlatform(setup, values, interrupt);
    await mkdir(out, { recursive: true });
    for (const [name, text] of Object.entries(renderReport(report))) await writeFile(join(out, name), text);
    console.log(`\n${renderMarkdown(report)}\nWritten to ${out}`);
    return values.check && !report.goals.met ? 1 : 0;
  } finally {
    interrupt.dispose();
  }
});

async function loadPlatform(
  setup: LoadSetup,
  { url, data }: { url?: string | undefined; data?: string | undefined },
  interrupt: Interrupt,
): Promise<LoadReport> {
  const reporter = new TerminalReporter();
  const dataFolder = data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(data);
  const platform =
    url === undefined
      ? await findOrStartPlatform(dataFolder, { reporter, signal: interrupt.stop })
      : { dev: { url: url.replace(/\/$/, ''), apiKey: givenKey() }, stop: () => Promise.resolve() };
  try {
    const { dev } = platform;
    const target = await reporter.step('Preparing a workspace', () => prepareTarget(dev.url, dev.apiKey));
    try {
      const recorder = await reporter.step('Load', () =>
        runLoad(target, planArrivals(setup.stages, setup), interrupt.stop),
      );
      if (interrupt.stop.aborted) throw new InterruptedError();
      return makeReport(setup, recorder);
    } finally {
      await removeTarget(target);
    }
  } finally {
    await platform.stop();
  }
}

/** @throws {UsageError} */
function givenKey(): string {
  const key = process.env['LOAD_API_KEY'];
  if (key) return key;
  throw new UsageError('--url: set LOAD_API_KEY to an API key of that platform');
}
