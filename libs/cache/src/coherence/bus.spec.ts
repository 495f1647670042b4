import { describe, expect, it } from '@jest/globals';
import { InvalidationBus } from './bus.js';

describe('InvalidationBus', () => {
  it('hands on the scopes of others and ignores its own messages', () => {
    const [a, b] = [new InvalidationBus(), new InvalidationBus()];
    const message = a.message(['k:content:"ü"', 'f']);
    expect(b.receive(message)).toEqual({ kind: 'invalidate', scopes: ['k:content:"ü"', 'f'] });
    expect(a.receive(message)).toEqual({ kind: 'own' });
  });

  it('suspects a gap in the numbers of one publisher', () => {
    const [a, b, c] = [new InvalidationBus(), new InvalidationBus(), new InvalidationBus()];
    b.receive(a.message(['f']));
    a.message(['f']);
    expect(b.receive(c.message(['f'])).kind).toBe('invalidate');
    expect(b.receive(a.message(['f']))).toEqual({
      kind: 'suspect',
      reason: 'messages 2 to 2 of a publisher are missing',
      scopes: ['f'],
    });
    expect(b.receive(a.message(['f'])).kind).toBe('invalidate');
  });

  it('suspects the loss of a last message when its publisher repeats the number', () => {
    const [a, b] = [new InvalidationBus(), new InvalidationBus()];
    expect(a.heartbeat()).toBeUndefined();
    b.receive(a.message(['f']));
    expect(b.receive(a.heartbeat() ?? '')).toEqual({ kind: 'invalidate', scopes: [] });
    a.message(['f']);
    expect(b.receive(a.heartbeat() ?? '').kind).toBe('suspect');
    expect(b.receive(a.heartbeat() ?? '').kind).toBe('invalidate');
    expect(b.receive(a.message(['f'])).kind).toBe('invalidate');
  });

  it('takes any first number after a new subscription', () => {
    const [a, b] = [new InvalidationBus(), new InvalidationBus()];
    b.receive(a.message(['f']));
    a.message(['f']);
    b.forgetPublishers();
    expect(b.receive(a.message(['f'])).kind).toBe('invalidate');
  });

  it('does not take a late or repeated message for a gap', () => {
    const [a, b] = [new InvalidationBus(), new InvalidationBus()];
    const first = a.message(['f']);
    b.receive(first);
    b.receive(a.message(['f']));
    expect(b.receive(first).kind).toBe('invalidate');
    expect(b.receive(a.message(['f'])).kind).toBe('invalidate');
  });

  it.each([
    '',
    'null',
    '{}',
    '[]',
    '{"p":1,"s":1,"c":[]}',
    '{"p":"x","s":1.5,"c":[]}',
    '{"p":"x","s":1,"c":[1]}',
  ])('suspects what it can not read: %p', (text) => {
    expect(new InvalidationBus().receive(text).kind).toBe('suspect');
  });
});
