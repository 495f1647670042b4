import { describe, expect, it } from '@jest/globals';
import { steadyClock } from './steady-clock.js';

describe('the steady clock', () => {
  it('follows the wall clock forward and never goes back with it', () => {
    let wall = 1_000_000;
    let tick = 5;
    const now = steadyClock(
      () => wall,
      () => tick,
    );
    expect(now()).toBe(1_000_000);
    wall += 10;
    tick += 10;
    expect(now()).toBe(1_000_010);
    wall -= 3_600_000;
    expect(now()).toBe(1_000_010);
    tick += 500;
    wall += 500;
    expect(now()).toBe(1_000_510);
    wall += 7_200_000;
    expect(now()).toBe(wall);
  });
});
