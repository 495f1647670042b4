import { describe, expect, it } from '@jest/globals';
import { FakeClock } from './fake-clock.js';

describe('FakeClock', () => {
  it('stands still until it is advanced', () => {
    const clock = new FakeClock(5);
    expect(clock.now()).toBe(5);
    clock.advance(0.5);
    expect(clock.now()).toBe(5.5);
  });

  it('fires timers in the order of their moments, each at its own', () => {
    const clock = new FakeClock(0);
    const fired: [string, number][] = [];
    const note = (name: string) => () => fired.push([name, clock.now()]);
    clock.setTimeout(note('late'), 20);
    clock.setTimeout(note('first'), 10);
    clock.setTimeout(note('second'), 10);
    clock.setTimeout(note('never'), 31);
    clock.advance(30);
    expect(fired).toEqual([
      ['first', 10],
      ['second', 10],
      ['late', 20],
    ]);
    expect(clock.now()).toBe(30);
    expect(clock.pendingTimers).toBe(1);
  });

  it('fires timers that timers have set, when they fall due on the way', () => {
    const clock = new FakeClock(0);
    let ticks = 0;
    const tick = () => {
      ticks++;
      clock.setTimeout(tick, 10);
    };
    clock.setTimeout(tick, 10);
    clock.advance(35);
    expect(ticks).toBe(3);
  });

  it('lets promises have a turn between the timers', async () => {
    const clock = new FakeClock(0);
    const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));
    let at = 0;
    const walk = async () => {
      await wait(10);
      await wait(10);
      at = clock.now();
    };
    void walk();
    await clock.advanceAsync(100);
    expect(at).toBe(20);
  });

  it('does not fire what was cleared', () => {
    const clock = new FakeClock();
    const timer = clock.setTimeout(() => expect(true).toBe(false), 1);
    clock.clearTimeout(timer);
    clock.clearTimeout(timer);
    clock.advance(10);
  });

  it.each([-1, NaN, Infinity])('refuses to advance by %p', (ms) => {
    expect(() => new FakeClock().advance(ms)).toThrow(RangeError);
  });
});
