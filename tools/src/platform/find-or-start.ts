import type { Reporter } from '../reporter.ts';
import { devFileIn } from './data-folder.ts';
import { type DevFile, readDevFile } from './dev-file.ts';
import { startPlatform } from './platform.ts';

/** A platform to work on; `stop` ends it if it was started for that. */
export interface UsablePlatform {
  readonly dev: DevFile;
  stop(): Promise<void>;
}

interface FindOrStartOptions {
  /** Settings of one that is started. @default that of this process */
  readonly environment?: NodeJS.ProcessEnv;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** The platform that runs on the data folder, which goes on running; else one of our own. */
export async function findOrStartPlatform(
  dataFolder: string,
  { environment, reporter, signal }: FindOrStartOptions,
): Promise<UsablePlatform> {
  const dev = await readDevFile(devFileIn(dataFolder));
  const ready = dev && (await fetch(`${dev.url}/health/ready`).catch(() => undefined));
  if (dev && ready?.ok) {
    reporter.print(`Using the platform that runs on ${dev.url}`);
    return { dev, stop: () => Promise.resolve() };
  }
  return startPlatform({ dataFolder, port: 0, reporter, signal, ...(environment && { environment }) });
}
