import { describe, expect, it } from '@jest/globals';
import { type Attempt } from '../execution/attempt.js';
import { TaskStoppedError } from '../task-queue.errors.js';
import { FakeClock } from '../testing/fake-clock.js';
import { ClaimAhead } from './claim-ahead.js';

const CLAIMS = 2;
const PATIENCE_MS = 100;

describe('claiming ahead', () => {
  function setUp() {
    const clock = new FakeClock();
    const reasons: Error[] = [];
    const running = new Map<string, Pick<Attempt, 'started' | 'company' | 'abort'>>();
    let claims = CLAIMS;
    const ahead = new ClaimAhead({
      claims: CLAIMS,
      concurrency: CLAIMS,
      running,
      onChange: (changed) => (claims = changed),
      clock,
    });
    const hold = (id: string, started: boolean, turn: 'common' | 'alone' = 'common') => {
      const abort = (reason: Error) => {
        reasons.push(reason);
        running.delete(id);
      };
      running.set(id, { started, company: { size: 1, turn }, abort });
    };
    const run = (count: number, tookMs: number) => {
      for (let i = 0; i < count; i++) ahead.ended(tookMs);
    };
    const pass = () => clock.advance(PATIENCE_MS, () => Promise.resolve());
    return { ahead, pass, running, reasons, hold, run, claims: () => claims };
  }

  it('begins only when many handlers were short, one claim a run, up to its bound', () => {
    const { run, claims } = setUp();
    run(20, 1);
    expect(claims()).toBe(CLAIMS);
    run(40, 1);
    expect(claims()).toBe(4 * CLAIMS);
  });

  it('ends when the store has nothing more', () => {
    const { ahead, run, claims } = setUp();
    run(60, 1);
    ahead.stop();
    expect(claims()).toBe(CLAIMS);
  });

  it('ends when handlers become slow', () => {
    const { run, claims } = setUp();
    run(60, 1);
    run(1, 60_000);
    expect(claims()).toBe(CLAIMS);
  });

  it('gives back what waits while no handler comes back, the latest first, and no suspect', async () => {
    const { pass, run, running, reasons, hold, claims } = setUp();
    run(60, 1);
    hold('slow', true);
    hold('slower', true);
    hold('suspect', false, 'alone');
    hold('third', false);
    hold('fourth', false);
    await pass();
    expect(running.size).toBe(5);
    await pass();
    expect(claims()).toBe(CLAIMS);
    expect([...running.keys()]).toEqual(['slow', 'slower', 'suspect']);
    expect(reasons).toEqual([new TaskStoppedError(), new TaskStoppedError()]);
  });

  it('keeps what waits while handlers come back', async () => {
    const { pass, run, running, hold, claims } = setUp();
    run(60, 1);
    for (const id of ['a', 'b', 'c', 'd']) hold(id, id < 'c');
    await pass();
    run(1, 1);
    await pass();
    expect(claims()).toBe(4 * CLAIMS);
    expect(running.size).toBe(4);
  });
});
