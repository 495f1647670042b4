import { describe, expect, it } from '@jest/globals';
import { estimateBytes } from './heap-size.js';
import { takeIn } from './stored-value.js';

describe('estimateBytes', () => {
  it('counts one byte for a Latin-1 character and two when there is any other', () => {
    expect(estimateBytes('é'.repeat(1_000))).toBe(1_016);
    expect(estimateBytes(`${'a'.repeat(999)}中`)).toBe(2_016);
  });

  it('counts what is referred to twice once, and comes to an end in a cycle', () => {
    const part = { text: 'x'.repeat(1_000) };
    const twice: Record<string, unknown> = { part, again: part };
    twice['self'] = twice;
    estimateBytes(twice);
    expect(estimateBytes(twice)).toBeLessThan(estimateBytes(part) + 300);
  });

  it('counts names that are data and not those that objects share', () => {
    const row = (i: number) => ({ id: i, title: i, score: i, price: i });
    estimateBytes(row(0));
    const shared = estimateBytes(row(1));
    const own = estimateBytes(Object.fromEntries([1, 2, 3, 4].map((i) => [`user-${i}-${process.pid}`, i])));
    expect(own).toBeGreaterThan(shared + 4 * 50);
  });

  it.each<[string, unknown]>([
    ['text', 'some text'],
    ['rows', Array.from({ length: 20 }, (_, i) => ({ id: i, title: `row ${i}`, tags: ['a', 'b'] }))],
    ['bytes', Buffer.alloc(1_000)],
    ['a map', new Map([['a', new Set([1, 2, 3])]])],
    ['a large integer', 2n ** 200n],
  ])('agrees with what taking in counts: %s', (_, value) => {
    estimateBytes(value);
    expect(takeIn(value).bytes).toBe(estimateBytes(value));
  });

  it('takes anything', () => {
    const values = [
      undefined,
      null,
      true,
      Symbol('s'),
      () => 1,
      /x/,
      new WeakMap(),
      new SharedArrayBuffer(9),
    ];
    for (const value of values) expect(estimateBytes(value)).toBeLessThan(1_000);
  });

  it('goes as deep as the value', () => {
    let value: unknown = 1;
    for (let i = 0; i < 100_000; i++) value = [value];
    expect(estimateBytes(value)).toBeGreaterThan(100_000 * 48);
  });
});
