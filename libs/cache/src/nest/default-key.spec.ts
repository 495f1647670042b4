import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { canonicalArguments, NoCanonicalFormError } from './default-key.js';

class Point {
  constructor(readonly x: number) {}
}
class Service {
  run(): void {}
}
const circular: { self?: unknown } = {};
circular.self = circular;

/** Data that reads the same and is not: each must have a form of its own. */
const DISTINCT: readonly (readonly unknown[])[] = [
  [],
  [null],
  ['null'],
  [undefined, 1],
  [null, 1],
  ['undefined', 1],
  [1],
  ['1'],
  [1n],
  ['1n'],
  [true],
  [Number.NaN],
  [[]],
  [{}],
  [''],
  ['a', 'b'],
  ['a,b'],
  ['a","b'],
  [['a', 'b']],
  [['a'], 'b'],
  [new Date(0)],
  ['Date(0)'],
  [new Date(Number.NaN)],
  [new Map([['a', 1]])],
  [{ a: 1 }],
  [{ a: undefined }],
  [new Set([1])],
  [new Set()],
  [Buffer.from('a')],
  [new Uint16Array([97])],
  [{ a: { b: 1 } }],
  [{ 'a:{"b"': 1 }],
];

describe('canonicalArguments', () => {
  it('tells apart what is not the same', () => {
    const forms = DISTINCT.map((it) => canonicalArguments(it));
    expect(new Set(forms).size).toBe(DISTINCT.length);
  });

  it.each<[string, unknown, unknown]>([
    ['the order of properties', { a: 1, b: [{ d: 1, c: 2 }] }, { b: [{ c: 2, d: 1 }], a: 1 }],
    [
      'the order of a Set and a Map',
      [
        new Set([1, 2]),
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ],
      [
        new Set([2, 1]),
        new Map([
          ['b', 2],
          ['a', 1],
        ]),
      ],
    ],
    ['the class of an object that is data only', new Point(1), { x: 1 }],
    ['the sign of zero', -0, 0],
    ['the kind of bytes', Buffer.from('a'), new Uint8Array([97])],
    ['holes in an array', [1, , 2], [1, undefined, 2]], // eslint-disable-line no-sparse-arrays -- the hole is what is tested
    ['a missing prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ])('does not look at %s', (_, one, other) => {
    expect(canonicalArguments([one])).toBe(canonicalArguments([other]));
  });

  it('takes trailing undefined arguments for none', () => {
    expect(canonicalArguments(['a', undefined, undefined])).toBe(canonicalArguments(['a']));
  });

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['an instance of Service', new Service()],
    ['refers to itself', circular],
    ['a Promise', Promise.resolve()],
    ['a RegExp', /a/],
    ['an Error', new Error('e')],
  ])('refuses what has no form: %s', (_, value) => {
    expect(() => canonicalArguments([{ deep: [value] }])).toThrow(NoCanonicalFormError);
  });

  it('has one form for equal data and another for different data', () => {
    const data = fc.anything({
      maxDepth: 3,
      maxKeys: 2,
      withMap: true,
      withSet: true,
      key: fc.constantFrom('a', 'b', 'a:1,b'),
      values: [fc.constantFrom<unknown>(null, undefined, 0, 1, '1', 'a', 'a,b', '[]', 1n, true, new Date(1))],
    });
    fc.assert(
      fc.property(
        data,
        data,
        (one, other) =>
          (canonicalArguments([[one]]) === canonicalArguments([[other]])) === isDeepStrictEqual(one, other),
      ),
      { numRuns: 5_000 },
    );
  });
});
