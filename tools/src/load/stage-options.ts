import { parseWholeNumber } from '../command-line.ts';
import { UsageError } from '../tools.errors.ts';
import { type Mix, type MixName, MIXES } from './workload.ts';

/** @throws {UsageError} */
export function parseMix(name: string): Mix {
  if (Object.hasOwn(MIXES, name)) return MIXES[name as MixName];
  throw new UsageError(
    `--mix: given ${JSON.stringify(name)}, expected one of ${Object.keys(MIXES).join(', ')}`,
  );
}

/** @returns how long the stages take together @throws {UsageError} */
export function parseDuration(options: { seconds: string | undefined; quick: boolean }): number {
  if (options.seconds !== undefined) return parseWholeNumber('--seconds', options.seconds, [1, 86_400]);
  return options.quick ? 30 : 240;
}
