import { describe, expect, it } from '@jest/globals';
import { Chaos, ChaosError, chaosLoader } from './chaos.js';
import { FakeClock } from './fake-clock.js';

const load = () => Promise.resolve('value');
const settled = async (chaos: Chaos, calls: number) => {
  const loader = chaosLoader(load, chaos);
  const outcomes = await Promise.allSettled(Array.from({ length: calls }, () => loader({})));
  return outcomes.map(({ status }) => status);
};

describe('chaosLoader', () => {
  it('does nothing to a loader without faults', async () => {
    expect(await chaosLoader(load, {})({})).toBe('value');
  });

  it('fails a share of the calls, the same ones for the same seed', async () => {
    const once = await settled(new Chaos({ errorRate: 0.3 }, { seed: 7 }), 1_000);
    expect(await settled(new Chaos({ errorRate: 0.3 }, { seed: 7 }), 1_000)).toEqual(once);
    expect(await settled(new Chaos({ errorRate: 0.3 }, { seed: 8 }), 1_000)).not.toEqual(once);
    const failed = once.filter((it) => it === 'rejected').length;
    expect(failed).toBeGreaterThan(240);
    expect(failed).toBeLessThan(360);
  });

  it('fails with the error that was asked for, else with its own', async () => {
    const error = new Error('mine');
    await expect(chaosLoader(load, { errorRate: 1, error: () => error })({})).rejects.toBe(error);
    await expect(chaosLoader(load, { errorRate: 1 })({})).rejects.toBeInstanceOf(ChaosError);
  });

  it('waits by the clock it was given', async () => {
    const clock = new FakeClock();
    const waiting = chaosLoader(load, new Chaos({ delay: { min: 10, max: 20 } }, { clock }))({});
    await clock.advanceAsync(20);
    expect(await waiting).toBe('value');
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends a call that was swallowed or waits when its signal is aborted', async () => {
    for (const faults of [{ dropRate: 1 }, { delay: 1e6 }]) {
      const clock = new FakeClock();
      const controller = new AbortController();
      const waiting = chaosLoader(load, new Chaos(faults, { clock }))(controller);
      controller.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it('is changed and calmed while it is in use', async () => {
    const chaos = new Chaos();
    const loader = chaosLoader(load, chaos);
    chaos.set({ errorRate: 1 });
    await expect(loader({})).rejects.toThrow(ChaosError);
    chaos.calm();
    expect(await loader({})).toBe('value');
    expect(chaos.calls).toBe(2);
  });
});
