import { describe, expect, it } from '@jest/globals';

import { type Running, Supervisor } from './supervisor.ts';

class FakeProcess implements Running {
  readonly ended: Promise<string>;
  readonly pid: number;
  readonly end: (reason: string) => void;

  constructor(pid: number) {
    this.pid = pid;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.end = resolve;
  }

  stop(): Promise<void> {
    this.end('stopped');
    return Promise.resolve();
  }
}

/** @param plan called for each start with its number, from 1; what it throws is a failed start */
function supervise(plan: (attempt: number, process: FakeProcess) => void) {
  const started: FakeProcess[] = [];
  const warnings: string[] = [];
  let changed = () => undefined as void;
  const supervisor = new Supervisor<FakeProcess>({
    name: 'thing',
    firstDelayMs: 1,
    tail: () => ['the last line'],
    warn: (message) => warnings.push(message),
    onChange: () => changed(),
    start: () => {
      const process = new FakeProcess(started.length + 1);
      started.push(process);
      plan(started.length, process);
      return Promise.resolve(process);
    },
  });
  const nextChange = () => new Promise<void>((resolve) => (changed = resolve));
  return { supervisor, started, warnings, nextChange };
}

describe('a supervisor', () => {
  it('leaves the failure of the first start to its caller', async () => {
    const { supervisor, started } = supervise(() => {
      throw new Error('no');
    });
    await expect(supervisor.start()).rejects.toThrow('no');
    expect(started).toHaveLength(1);
    await supervisor.stop();
  });

  it('starts a process again that ended by itself', async () => {
    const { supervisor, warnings, nextChange } = supervise(() => undefined);
    const first = await supervisor.start();
    const lost = nextChange();
    first.end('exit code 3');
    await lost;
    expect(supervisor.current).toBeUndefined();
    await nextChange();
    expect(supervisor.current?.pid).toBe(2);
    expect(warnings[0]).toBe('thing ended: exit code 3. It is started again in 0.001 s.');
    await supervisor.stop();
  });

  it('does not start again what was stopped', async () => {
    const { supervisor, started, warnings } = supervise(() => undefined);
    await supervisor.start();
    await supervisor.stop();
    expect(started).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('gives up after five restarts that did not last, with the last lines of the log', async () => {
    const { supervisor, started } = supervise((_, process) => process.end('exit code 1'));
    await supervisor.start();
    const error = await supervisor.failed;
    expect(error.message).toBe('thing ended 6 times, last: exit code 1. Its last lines:\n  the last line');
    expect(started).toHaveLength(6);
    await supervisor.stop();
  });

  it('counts a restart that fails', async () => {
    const { supervisor, started } = supervise((attempt, process) => {
      process.end('exit code 1');
      if (attempt > 1) throw new Error('cannot bind');
    });
    await supervisor.start();
    expect((await supervisor.failed).message).toContain('last: cannot bind');
    expect(started).toHaveLength(6);
  });
});
