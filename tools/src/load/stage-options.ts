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

const MOST_MINUTES = 10_080;

/** @returns minutes, also fractions @throws {UsageError} */
export function parseMinutes(option: string, given: string): number {
  const minutes = /^\d+(?:\.\d+)?$/.test(given) ? Number(given) : 0;
  if (minutes > 0 && minutes <= MOST_MINUTES) return minutes;
  throw new UsageError(
    `${option}: given ${JSON.stringify(given)}, expected minutes above 0, ${MOST_MINUTES} at most`,
  );
}

/** @returns how long the stages take together @throws {UsageError} */
export function parseDuration(options: { seconds: string | undefined; quick: boolean }): number {
  if (options.seconds !== undefined) return parseWholeNumber('--seconds', options.seconds, [1, 86_400]);
  return options.quick ? 30 : 240;
}
