import { describe, expect, it } from '@jest/globals';
import { PendingInvalidations } from './pending-invalidations.js';

describe('PendingInvalidations', () => {
  it('keeps each scope once and gives it out in parts', () => {
    const pending = new PendingInvalidations();
    pending.add(['k:content:a', 'k:content:b', 'k:content:a']);
    expect(pending.size).toBe(2);
    expect(pending.take(1)).toEqual(['k:content:a']);
    expect(pending.take(10)).toEqual(['k:content:b']);
    expect(pending.take(10)).toEqual([]);
  });

  it('remembers a scope again that is invalidated while it is being sent', () => {
    const pending = new PendingInvalidations();
    pending.add(['k:content:a']);
    pending.take(1);
    pending.add(['k:content:a']);
    expect(pending.size).toBe(1);
  });

  it('widens to namespaces beyond its limit, so that it never grows on and nothing is forgotten', () => {
    const pending = new PendingInvalidations(3);
    for (let i = 0; i < 1_000; i++) pending.add([`k:content:${i}`, `t:search:${i}`]);
    expect(pending.size).toBeLessThanOrEqual(3);
    const taken = pending.take(10);
    expect(taken).toEqual(expect.arrayContaining(['n:content', 'n:search']));
  });
});
