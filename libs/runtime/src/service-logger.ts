import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import { type Settings } from './settings.js';

/** Nest logs a failure to start with its stack before it throws it; one readable message is enough. */
class ServiceLogger extends ConsoleLogger {
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }
}

export function createLogger({ level, format }: Settings['log']): ConsoleLogger {
  const json = format === 'json';
  return new ServiceLogger({ json, colors: !json && process.stdout.isTTY, logLevels: levelsFrom(level) });
}

const LEVELS = {
  fatal: ['fatal'],
  error: ['error'],
  warn: ['warn'],
  info: ['log'],
  debug: ['debug'],
  trace: ['verbose'],
} as const satisfies Record<Settings['log']['level'], readonly LogLevel[]>;

/** Nest's names of a level and everything more severe. */
function levelsFrom(level: keyof typeof LEVELS): LogLevel[] {
  const names = Object.keys(LEVELS) as (keyof typeof LEVELS)[];
  return names.slice(0, names.indexOf(level) + 1).flatMap((name) => [...LEVELS[name]]);
}
