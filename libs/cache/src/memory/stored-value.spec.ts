import { describe, expect, it } from '@jest/globals';
import { UncacheableValueError } from '../cache.errors.js';
import { handOut, takeIn } from './stored-value.js';

class Row {
  id = 1;
  title = 'a';
}
class Account {
  balance = 1;
  withdraw() {
    this.balance--;
  }
}

describe('takeIn', () => {
  it('freezes a copy all the way down and leaves the original alone', () => {
    const original = { list: [{ a: 1 }] };
    const { value } = takeIn(original) as { value: typeof original };
    expect(value).toEqual(original);
    expect(Object.isFrozen(value.list[0])).toBe(true);
    original.list[0]!.a = 2;
    expect(value.list[0]!.a).toBe(1);
  });

  it('shares one frozen value among readers when nothing in it can change', () => {
    const stored = takeIn({ a: [1, 'x', null] });
    expect(stored.private).toBe(false);
    expect(handOut(stored)).toBe(handOut(stored));
  });

  it('gives each reader copies of bytes, dates, maps and sets', () => {
    const make = () => ({
      bytes: Buffer.from('abc'),
      date: new Date(5),
      map: new Map([[1, [2]]]),
      set: new Set([3]),
    });
    const stored = takeIn(make());
    const first = handOut(stored) as ReturnType<typeof make>;
    first.bytes[0] = 0;
    first.date.setTime(0);
    first.map.clear();
    first.set.add(4);
    expect(handOut(stored)).toEqual(make());
  });

  it('copies a Buffer that is the whole value', () => {
    const stored = takeIn(Buffer.from('abc'));
    (handOut(stored) as Buffer).fill(0);
    expect(String(handOut(stored))).toBe('abc');
  });

  it('makes plain objects of class instances without methods', () => {
    const { value } = takeIn(new Row()) as { value: object };
    expect(value).toEqual({ id: 1, title: 'a' });
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('keeps a part that is referred to twice as one', () => {
    const part = { a: 1 };
    const { value } = takeIn([part, part]) as { value: unknown[] };
    expect(value[0]).toBe(value[1]);
  });

  it.each<[string, () => unknown]>([
    ['a function', () => ({ f: () => 1 })],
    ['a symbol', () => [Symbol('s')]],
    ['a class with methods', () => new Account()],
    ['an error', () => new Error('x')],
    ['a promise', () => ({ p: Promise.resolve(1) })],
    ['a regular expression', () => /x/],
    ['a DataView', () => new DataView(new ArrayBuffer(1))],
    ['a key __proto__', () => JSON.parse('{"__proto__": {"admin": true}}') as unknown],
    [
      'a cycle',
      () => {
        const it: Record<string, unknown> = {};
        it['self'] = { it };
        return it;
      },
    ],
    [
      'endless depth',
      () => {
        let it: unknown = 1;
        for (let i = 0; i < 100_000; i++) it = [it];
        return it;
      },
    ],
  ])('refuses %s', (_, make) => {
    expect(() => takeIn(make())).toThrow(UncacheableValueError);
  });

  it('makes alike what Redis could not keep apart', () => {
    expect(takeIn(-0).value).toBe(0);
    expect(takeIn('a\ud800').value).toBe('a\ufffd');
    expect(Buffer.isBuffer(takeIn(Uint8Array.of(1)).value)).toBe(true);
  });

  it('estimates at least the bytes that are there', () => {
    expect(takeIn(Buffer.alloc(10_000)).bytes).toBeGreaterThanOrEqual(10_000);
    expect(takeIn({ text: 'x'.repeat(10_000) }).bytes).toBeGreaterThanOrEqual(10_000);
    expect(takeIn(Array.from({ length: 1_000 }, (_, i) => i)).bytes).toBeGreaterThanOrEqual(8_000);
  });

  it('takes undefined and null in', () => {
    expect(handOut(takeIn(undefined))).toBeUndefined();
    expect(handOut(takeIn(null))).toBeNull();
  });

  it('does not keep the pool of which a small Buffer is a part', () => {
    const { value } = takeIn(Buffer.from('abc')) as { value: Buffer };
    expect(value.buffer.byteLength).toBe(3);
  });
});

describe('handOut', () => {
  it("gives a copy of one's own to whom asks for it, with nothing frozen", () => {
    const original = { list: [{ a: 1 }], map: new Map([['k', { b: 1 }]]), at: new Date(5) };
    const stored = takeIn(original);
    const mine = handOut(stored, true) as typeof original;
    mine.list[0]!.a = 2;
    mine.list.push({ a: 3 });
    mine.map.get('k')!.b = 2;
    mine.at.setTime(0);
    expect(handOut(stored, true)).toEqual(original);
    expect(handOut(stored)).toEqual(original);
  });

  it('copies no string and no number', () => {
    expect(handOut(takeIn('text'), true)).toBe('text');
    expect(handOut(takeIn(5), true)).toBe(5);
  });
});
