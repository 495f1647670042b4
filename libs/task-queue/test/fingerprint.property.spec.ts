import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fingerprintOf, normalizedError } from '../src/dead-letters/fingerprint.js';

const word = fc.constantFrom(
  'cannot',
  'open',
  'file',
  'timeout',
  'after',
  'user',
  'quota',
  'of',
  'is',
  'exceeded',
);
const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    // Without a digit, or with nothing else, it is a word, or a number.
    .map((digits) => `4f${digits.join('')}`);
const variable = fc.oneof(
  fc.nat().map((it) => ['number', String(it)] as const),
  fc.double({ min: 0, max: 1e6, noNaN: true }).map((it) => ['number', it.toFixed(3)] as const),
  fc.uuid().map((it) => ['uuid', it] as const),
  hex(14).map((it) => ['hex', it] as const),
  fc
    .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((it) => ['time', it.toISOString()] as const),
  fc
    .string()
    .map((it) => it.replaceAll('"', ''))
    .map((it) => ['text', `"${it}"`] as const),
);

describe('a fingerprint', () => {
  it('is the same for two errors that differ in numbers, ids, times and quoted text alone', () => {
    const part = fc.tuple(word, variable, variable).filter(([, [one], [other]]) => one === other);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const message = (which: 1 | 2) => parts.map((it) => `${it[0]} ${it[which][1]}`).join(' ');
        expect(fingerprintOf('task', message(1))).toBe(fingerprintOf('task', message(2)));
      }),
    );
  });

  it('tells errors of other words apart', () => {
    const words = fc.array(word, { minLength: 1, maxLength: 8 }).map((it) => it.join(' '));
    fc.assert(
      fc.property(words, words, (one, other) => {
        expect(fingerprintOf('task', one) === fingerprintOf('task', other)).toBe(one === other);
      }),
    );
  });

  it('takes any text, and finds nothing more in what it has normalised', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 4_096 }), (text) => {
        expect(fingerprintOf('task', text)).toMatch(/^[\da-f]{16}$/);
        expect(normalizedError(normalizedError(text))).toBe(normalizedError(text));
      }),
    );
  });
});
