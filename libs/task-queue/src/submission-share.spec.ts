import { describe, expect, it } from '@jest/globals';
import { submissionShare } from './submission-share.js';

describe('the share of asynchronous tasks', () => {
  it.each([0, 1, 25, 50, 99.5, 100])('of %d percent is kept', (percentage) => {
    const decide = submissionShare(percentage);
    let count = 0;
    for (let id = 0; id < 20_000; id++) if (decide('a.task', `id-${id}`)) count++;
    expect(Math.abs(count / 200 - percentage)).toBeLessThan(1.5);
  });

  it('decides the same for the same id', () => {
    const decide = submissionShare(50);
    for (let id = 0; id < 100; id++) expect(decide('a', `${id}`)).toBe(decide('a', `${id}`));
  });

  it('is all, none, or what a function says', () => {
    expect(submissionShare(true)('a', '1')).toBe(true);
    expect(submissionShare(false)('a', '1')).toBe(false);
    expect(submissionShare((task) => task === 'a')('a', '1')).toBe(true);
  });
});
