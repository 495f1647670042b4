import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../paths.ts';
import type { Reporter } from '../reporter.ts';
import { InterruptedError, UnexpectedAnswerError } from '../tools.errors.ts';
import { type Arrival, planArrivals } from './arrivals.ts';
import {
  type Compared,
  COMPARED,
  compareRounds,
  failsMore,
  type Ratio,
  type Round,
  type RoundFigures,
} from './ratios.ts';
import type { LoadSetup } from './report.ts';
import { runLoad } from './run-load.ts';
import { prepareTarget, type Target } from './target.ts';
import { prepareTree } from './tree.ts';
import { startTree } from './tree-platform.ts';

/** While one side is measured the other one rests: both have the machine to themselves. */
const USERS = 10;

export interface CompareOptions {
  /** A commit, or a folder with a built clone. */
  readonly old: string;
  readonly out: string;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly setup: LoadSetup;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** @returns the exit code: 1 when the new one is slower */
export async function compareTrees(options: CompareOptions): Promise<number> {
  const { old, out, reporter, signal } = options;
  const cleanUps: (() => Promise<void>)[] = [];
  try {
    const tree = await prepareTree(old, reporter);
    cleanUps.push(() => tree.remove());
    const here = { folder: ROOT, name: 'this tree', remove: () => Promise.resolve() };
    const targets: Target[] = [];
    for (const it of [tree, here]) {
      const platform = await reporter.step(`Platform of ${it.name}`, () => startTree(it, signal));
      cleanUps.push(() => platform.stop());
      targets.push(await prepareTarget(platform.dev.url, platform.dev.apiKey));
    }
    const rounds = await measureRounds(targets as [Target, Target], options);
    const ratios = compareRounds(rounds);
    await mkdir(out, { recursive: true });
    await writeFile(
      join(out, 'compare.json'),
      `${JSON.stringify({ old: tree.name, ratios, rounds }, null, 2)}\n`,
    );
    reporter.print(describeRatios(tree.name, ratios, rounds));
    return failsMore(rounds) || COMPARED.some((it) => ratios[it].isRegression) ? 1 : 0;
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  }
}

/** The first round fills caches and compiles code, and does not count. */
async function measureRounds([old, now]: [Target, Target], options: CompareOptions): Promise<Round[]> {
  const { rounds, roundSeconds, setup, reporter, signal } = options;
  const measured: Round[] = [];
  for (let round = 0; round <= rounds; round++) {
    // A stage that begins and ends with the same users has a constant rate.
    const stages = [
      { seconds: 0, users: USERS },
      { seconds: roundSeconds, users: USERS },
    ];
    const arrivals = planArrivals(stages, { ...setup, seed: setup.seed + round });
    const title = round === 0 ? 'Warming up' : `Round ${round} of ${rounds}`;
    const result = await reporter.step(title, async () => {
      // In turn, so that neither is always the first.
      const oldFirst = round % 2 === 0 ? await measure(old, arrivals, signal) : undefined;
      const ofNew = await measure(now, arrivals, signal);
      return { old: oldFirst ?? (await measure(old, arrivals, signal)), new: ofNew };
    });
    if (round > 0) measured.push(result);
  }
  return measured;
}

async function measure(
  target: Target,
  arrivals: readonly Arrival[],
  signal: AbortSignal,
): Promise<RoundFigures> {
  const before = await cpuSeconds(target);
  const recorder = await runLoad(target, arrivals, signal);
  if (signal.aborted) throw new InterruptedError();
  const { p50Ms, p95Ms, requests, errors } = recorder.total;
  if (p50Ms === null || p95Ms === null) throw new UnexpectedAnswerError(`${target.url} answered no request`);
  const cpuMsPerRequest = (((await cpuSeconds(target)) - before) * 1_000) / requests;
  return { p50Ms, p95Ms, cpuMsPerRequest, requests, errors };
}

async function cpuSeconds({ url }: Target): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const [, seconds] = /^process_cpu_seconds_total (\S+)$/m.exec(page) ?? [];
  if (seconds === undefined)
    throw new UnexpectedAnswerError(`${url}/metrics shows no process_cpu_seconds_total`);
  return Number(seconds);
}

function describeRatios(old: string, ratios: Record<Compared, Ratio>, rounds: readonly Round[]): string {
  const names: Record<Compared, string> = {
    p50Ms: 'median time',
    p95Ms: 'p95 time',
    cpuMsPerRequest: 'CPU a request',
  };
  const errors = (side: keyof Round) => rounds.reduce((sum, it) => sum + it[side].errors, 0);
  return [
    '',
    `This tree against ${old}, ratios within each of ${rounds.length} rounds (above 1: this tree needs more):`,
    ...COMPARED.map((figure) => {
      const { median, slowerIn, isRegression } = ratios[figure];
      const verdict = isRegression ? 'SLOWER' : 'no regression';
      return `  ${names[figure].padEnd(14)} ${median.toFixed(2)}   more in ${(slowerIn * 100).toFixed(0)} % of the rounds: ${verdict}`;
    }),
    `  errors         ${errors('new')} here, ${errors('old')} there`,
  ].join('\n');
}
