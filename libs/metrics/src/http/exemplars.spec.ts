import { describe, expect, it } from '@jest/globals';
import { Exemplars } from './exemplars.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('exemplars', () => {
  it('are the latest of each bucket', () => {
    const exemplars = new Exemplars(15);
    exemplars.note(1, 3, 0.008, 'a'.repeat(32));
    exemplars.note(1, 3, 0.009, TRACE_ID);
    expect(exemplars.of(1, 3)).toMatchObject({ labels: { trace_id: TRACE_ID }, value: 0.009 });
    expect(exemplars.of(1, 4)).toBeUndefined();
    expect(exemplars.of(0, 3)).toBeUndefined();
  });

  it('are bounded, whatever is traced; those that are there still change', () => {
    const exemplars = new Exemplars(15);
    for (let row = 0; row < 1_000; row++) {
      for (let bucket = 0; bucket < 15; bucket++) exemplars.note(row, bucket, row, TRACE_ID);
    }
    expect(exemplars.of(666, 9)).toBeDefined();
    expect(exemplars.of(999, 0)).toBeUndefined();
    exemplars.note(0, 0, 7, TRACE_ID);
    expect(exemplars.of(0, 0)?.value).toBe(7);
  });
});
