import { type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { allSettings, loadSettings } from '@peregrine/config';
import { createLogger } from './logging/service-logger.js';
import { type Settings } from './settings.js';
import { describeStartFailure } from './start-failure.js';

/** Of a job that a signal ended; as shells report SIGINT. */
const INTERRUPTED_EXIT_CODE = 130;
/** Ctrl-C may arrive from the terminal and from a parent: what follows this closely is one wish. */
const SAME_WISH_MS = 1_000;

export interface JobOptions {
  /** In messages. */
  name: string;
  module: (settings: Settings) => DynamicModule;
  /**
   * The work.
   *
   * @param signal aborted by SIGINT or SIGTERM
   * @returns the exit code
   */
  run: (app: INestApplicationContext, signal: AbortSignal) => Promise<number>;
}

/**
 * The life of a process that does one thing and ends: as `runService`, without a listener. A first signal ends it in
 * order, a second one at once; the exit code is 130 then.
 */
export async function runJob({ name, module, run }: JobOptions): Promise<void> {
  const interrupt = interruptOf(name);
  try {
    const settings = loadSettings(allSettings);
    const app = await NestFactory.createApplicationContext(module(settings), {
      abortOnError: false,
      logger: createLogger(settings.log),
    });
    try {
      const exitCode = await run(app, interrupt);
      process.exitCode = interrupt.aborted ? INTERRUPTED_EXIT_CODE : exitCode;
    } finally {
      await app.close();
    }
  } catch (error) {
    if (!interrupt.aborted) process.stderr.write(`${describeStartFailure(name, error)}\n`);
    process.exitCode = interrupt.aborted ? INTERRUPTED_EXIT_CODE : 1;
  }
}

function interruptOf(name: string): AbortSignal {
  const stop = new AbortController();
  let firstAt = 0;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      stop.abort(new Error(`${name} was interrupted`));
    } else if (performance.now() - firstAt > SAME_WISH_MS) {
      process.exit(INTERRUPTED_EXIT_CODE);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
  return stop.signal;
}
