import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HealthCheckStuckError, HealthCheckTimeoutError } from '../health.errors.js';
import { CheckRunner } from './check-runner.js';
import type { CheckResult, HealthCheck } from './health-check.js';

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 100;

const changes: CheckResult[] = [];
let runner: CheckRunner | undefined;

function makeRunner(check: HealthCheck['check']): CheckRunner {
  runner = new CheckRunner(
    { name: 'store', criticality: 'critical', intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS, check },
    (_check, result) => changes.push(result),
  );
  return runner;
}

beforeEach(() => {
  changes.length = 0;
  jest.useFakeTimers();
});

afterEach(() => {
  runner?.stop();
  jest.useRealTimers();
});

describe('CheckRunner', () => {
  it('shares one run between all who ask at once', async () => {
    const check = jest.fn(() => Promise.resolve());
    const target = makeRunner(check);
    await Promise.all([target.current(), target.current(), target.run()]);
    expect(check).toHaveBeenCalledTimes(1);
  });

  it('answers from the last run until it is older than the interval', async () => {
    const check = jest.fn(() => Promise.resolve());
    const target = makeRunner(check);
    await target.current();
    jest.advanceTimersByTime(INTERVAL_MS - 1);
    await target.current();
    expect(check).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(1);
    await target.current();
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('runs in the background within 10 % of the interval', async () => {
    const check = jest.fn(() => Promise.resolve());
    makeRunner(check).start();
    await jest.advanceTimersByTimeAsync(0);
    expect(check).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(INTERVAL_MS * 0.9 - 1);
    expect(check).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(INTERVAL_MS * 0.2 + 1);
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('aborts the signal of a check that exceeds its time limit', async () => {
    let signal: AbortSignal | undefined;
    const target = makeRunner((it) => {
      signal = it;
      return new Promise((_resolve, reject) => {
        it.addEventListener('abort', () => reject(new Error('aborted')));
      });
    });
    const result = target.run();
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS);
    expect((await result).status).toBe('down');
    expect(signal?.reason).toBeInstanceOf(HealthCheckTimeoutError);
  });

  it('does not start a check again that ignores its signal', async () => {
    let finish: () => void = () => undefined;
    const check = jest.fn(() => new Promise<void>((resolve) => (finish = resolve)));
    const target = makeRunner(check);
    const first = target.run();
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS);
    await first;
    expect((await target.run()).error).toBeInstanceOf(HealthCheckStuckError);
    expect(check).toHaveBeenCalledTimes(1);
    finish();
    await jest.advanceTimersByTimeAsync(0);
    const next = target.run();
    finish();
    expect((await next).status).toBe('up');
  });

  it('tells a change of status once, with the error', async () => {
    const error = new Error('gone');
    let works = true;
    const target = makeRunner(() => (works ? Promise.resolve() : Promise.reject(error)));
    await target.run();
    works = false;
    await target.run();
    await target.run();
    works = true;
    await target.run();
    expect(changes.map((it) => it.status)).toEqual(['up', 'down', 'up']);
    expect(changes[1]?.error).toBe(error);
  });

  it('takes a check that throws at once as down', async () => {
    const target = makeRunner(() => {
      throw new Error('no client');
    });
    expect((await target.run()).status).toBe('down');
  });

  it('reports nothing after it was stopped', async () => {
    const target = makeRunner((signal) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    });
    const result = target.run();
    target.stop();
    await result;
    expect(changes).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
