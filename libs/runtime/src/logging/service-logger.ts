import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import { currentRequestTiming } from '@peregrine/metrics';
import { type Settings } from '../settings.js';
import { currentTraceId } from '../tracing/current-trace.js';
import { redact, redactText } from './redaction.js';

/** Nest's logger, without secrets, and with the ids of the request and of the trace that a line belongs to. */
export class ServiceLogger extends ConsoleLogger {
  /** Nest logs a failure to start with its stack before it throws it; one readable message is enough. */
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }

  protected override getJsonLogObject(...args: Parameters<ConsoleLogger['getJsonLogObject']>) {
    const requestId = currentRequestTiming()?.requestId;
    const traceId = currentTraceId();
    const line = {
      ...super.getJsonLogObject(...args),
      ...(requestId === undefined ? {} : { requestId }),
      // The name that tools look for: https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
      ...(traceId === undefined ? {} : { trace_id: traceId }),
    };
    return redact(line) as typeof line;
  }

  protected override stringifyMessage(message: unknown, level: LogLevel): string {
    return redactText(super.stringifyMessage(redact(message), level));
  }

  /** Also called without a stack, whatever its type says. */
  protected override printStackTrace(stack: string | undefined): void {
    if (stack !== undefined) super.printStackTrace(redactText(stack));
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
