import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { DevFile } from '../platform/dev-file.ts';
import { startPlatform } from '../platform/platform.ts';
import type { Reporter } from '../reporter.ts';
import { InterruptedError } from '../tools.errors.ts';
import { planArrivals } from './arrivals.ts';
import { type Growth, growthOf, type MemorySample } from './memory-growth.ts';
import { sampleMemory } from './memory-sampler.ts';
import type { Recorder } from './recorder.ts';
import type { LoadSetup } from './report.ts';
import { runLoad } from './run-load.ts';
import { prepareTarget, removeTarget } from './target.ts';

/** All the time. */
const USERS = 10;
/** This part of the time fills caches and compiles code, and is left out of the slopes. */
const WARM_UP_SHARE = 0.25;
/** Caches that the warm-up fills, bytes: one that is still being filled would look like a leak. */
const CACHE_BYTES = 16 * 2 ** 20;
const COLLECT_REGULARLY = fileURLToPath(new URL('collect-regularly.mjs', import.meta.url));

export interface SoakOptions {
  readonly seconds: number;
  /** False: what was built before is used as it is. */
  readonly build: boolean;
  readonly setup: Omit<LoadSetup, 'stages'>;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export interface Soak {
  readonly setup: LoadSetup;
  readonly recorder: Recorder;
  readonly warmUpSeconds: number;
  /** By process. */
  readonly samples: ReadonlyMap<string, readonly MemorySample[]>;
  readonly growths: readonly Growth[];
}

/** Constant load on a platform of its own, with small caches and regular collections: does memory grow? */
export async function runSoak(options: SoakOptions): Promise<Soak> {
  const { build, reporter, signal } = options;
  const dataFolder = await mkdtemp(join(tmpdir(), 'peregrine-soak-'));
  // The embedded server may run as another user.
  await chmod(dataFolder, 0o755);
  try {
    const environment = soakEnvironment(process.env);
    const platform = await startPlatform({ dataFolder, port: 0, environment, build, reporter, signal });
    try {
      return await soakPlatform(platform.dev, options);
    } finally {
      await platform.stop();
    }
  } finally {
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function soakPlatform(
  dev: DevFile,
  { seconds, setup, reporter, signal }: Omit<SoakOptions, 'build'>,
): Promise<Soak> {
  // A stage that begins and ends with the same users has a constant rate.
  const stages = [
    { seconds: 0, users: USERS },
    { seconds, users: USERS },
  ];
  const target = await reporter.step('Preparing a workspace', () => prepareTarget(dev.url, dev.apiKey));
  const ended = new AbortController();
  const processes = dev.processes.flatMap(({ name, url }) => (url === undefined ? [] : [{ name, url }]));
  const sampling = sampleMemory(processes, ended.signal);
  // Its failure is thrown below; until then nobody waits for it.
  sampling.catch(() => undefined);
  const recorder = await reporter
    .step(`Constant load for ${seconds} s`, () => runLoad(target, planArrivals(stages, { ...setup }), signal))
    .finally(() => ended.abort());
  const samples = await sampling;
  if (signal.aborted) throw new InterruptedError();
  await removeTarget(target);
  const warmUpSeconds = seconds * WARM_UP_SHARE;
  const growths = [...samples].flatMap(([name, its]) =>
    (['heap', 'rss'] as const).flatMap((figure) => growthOf(name, figure, its, warmUpSeconds) ?? []),
  );
  return { setup: { ...setup, stages }, recorder, warmUpSeconds, samples, growths };
}

/** Servers of its own: what others do on theirs would be in the figures. */
function soakEnvironment(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { DATABASE_URL: _database, REDIS_URL: _redis, NODE_OPTIONS: _options, ...environment } = given;
  return {
    ...environment,
    NODE_OPTIONS: `--import ${COLLECT_REGULARLY}`,
    CACHE_MEMORY_BYTES: String(CACHE_BYTES),
    SHUTDOWN_DRAIN_MS: '0',
  };
}
