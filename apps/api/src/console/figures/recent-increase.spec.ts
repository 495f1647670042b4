import { expect, it } from '@jest/globals';
import { RecentIncrease } from './recent-increase.js';

it('counts what came within the window, and forgets it after', () => {
  let nowMs = 0;
  const increase = new RecentIncrease(300, () => nowMs);
  const lookAt = (atMs: number, total: number) => {
    nowMs = atMs;
    return increase.look(total);
  };
  expect(lookAt(0, 0)).toBe(0);
  expect(lookAt(100, 4)).toBe(4);
  expect(lookAt(200, 4)).toBe(4);
  expect(lookAt(250, 9)).toBe(9);
  expect(lookAt(400, 9)).toBe(5);
  expect(lookAt(549, 9)).toBe(5);
  expect(lookAt(550, 9)).toBe(0);
  expect(lookAt(10_000, 10)).toBe(1);
});
