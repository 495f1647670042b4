import { describe, expect, it } from '@jest/globals';
import { StageTimes } from './stage-times.js';

describe('StageTimes', () => {
  it('predicts a stage by what it took lately with the same plan and mode', () => {
    const times = new StageTimes();
    const learn = (durationMs: number, mode: 'plain' | 'boost' = 'plain') =>
      times.learn('filtered-vector', mode, [{ name: 'read', durationMs }])[0]?.predictedMs;
    expect(learn(10)).toBeNull();
    expect(learn(20)).toBe(10);
    expect(learn(20)).toBe(11);
    expect(learn(20, 'boost')).toBeNull();
  });
});
