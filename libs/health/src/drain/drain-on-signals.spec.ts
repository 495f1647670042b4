import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { HealthInvalidOptionsError } from '../health.errors.js';
import { drainOnSignals, type DrainOptions } from './drain-on-signals.js';

function makeApp(close: () => Promise<void>): {
  getHttpServer(): ReturnType<typeof createServer>;
  close(): Promise<void>;
} {
  const server = createServer();
  return { getHttpServer: () => server, close };
}

function makeOptions(connected?: boolean): DrainOptions & {
  process: EventEmitter & { exit: jest.Mock<(code: number) => void> };
  log: { log: jest.Mock; error: jest.Mock };
} {
  const process = Object.assign(new EventEmitter(), { exit: jest.fn<(code: number) => void>(), connected });
  return {
    health: { beginDrain: jest.fn() },
    drainMs: 0,
    timeoutMs: 10_000,
    log: { log: jest.fn(), error: jest.fn() },
    process,
  };
}

const never = (): Promise<void> => new Promise(() => undefined);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('drainOnSignals', () => {
  it('leaves at once with exit code 1 when the same signal comes again', () => {
    const options = makeOptions();
    drainOnSignals(makeApp(never), options);
    options.process.emit('SIGINT');
    jest.advanceTimersByTime(500);
    options.process.emit('SIGINT');
    expect(options.process.exit.mock.calls).toEqual([[1]]);
    expect(options.log.error).toHaveBeenCalledTimes(1);
  });

  it('takes an echo, another signal and a lost parent for the same wish', () => {
    const options = makeOptions();
    drainOnSignals(makeApp(never), options);
    options.process.emit('SIGINT');
    options.process.emit('SIGINT');
    jest.advanceTimersByTime(5_000);
    options.process.emit('SIGTERM');
    options.process.emit('disconnect');
    expect(options.process.exit).not.toHaveBeenCalled();
  });

  it('ends with exit code 1 and the reason when closing fails', async () => {
    const options = makeOptions();
    const drain = drainOnSignals(
      makeApp(() => Promise.reject(new Error('pool is busy'))),
      options,
    );
    await drain.start('test');
    expect(options.process.exit.mock.calls).toEqual([[1]]);
    expect(options.log.error).toHaveBeenCalledWith('Shutdown failed: pool is busy', expect.any(String));
  });

  it('starts at once when the parent was gone before', async () => {
    const options = makeOptions(false);
    const drain = drainOnSignals(
      makeApp(() => Promise.resolve()),
      options,
    );
    await drain.start('joined');
    expect(options.process.exit.mock.calls).toEqual([[0]]);
    expect(options.log.log.mock.calls[0]).toEqual([
      'Shutting down (the parent process is gone): draining for 0 ms',
    ]);
  });

  it('refuses a time limit that leaves nothing for requests in flight', () => {
    const options = { ...makeOptions(), drainMs: 2_000, timeoutMs: 2_000 };
    expect(() => drainOnSignals(makeApp(never), options)).toThrow(HealthInvalidOptionsError);
  });
});
