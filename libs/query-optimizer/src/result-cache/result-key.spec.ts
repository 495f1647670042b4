import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { analyse } from '../analysis/analyse.js';
import { loadAnalyser } from '../analysis/parser.js';
import { type ResolvedStatement } from '../catalogue/resolved-statement.js';
import { ResultKeys } from './result-key.js';

const ORIGIN = { database: 'host/name', schemaVersion: '1' };
const SCOPE = { role: 'reader', searchPath: ['public'] };

describe('ResultKeys', () => {
  const keys = new ResultKeys();
  /** As the catalogue does: another object for another text. */
  const resolve = (text: string) => ({ statement: analyse(text) }) as unknown as ResolvedStatement;

  beforeAll(() => loadAnalyser());

  it('is another for other parameters, and the same for the same', () => {
    const resolved = resolve('SELECT 1');
    const value: fc.Arbitrary<unknown> = fc.oneof(
      fc.constantFrom(null, true, false, undefined, 0, 1, '0', '1', 's1:', 'z', 'n1;', 1n),
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true }),
      fc.bigInt(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array().map((it) => Buffer.from(it)),
      fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string()))),
      fc.record({ a: fc.string() }),
    );
    const keyOf = (parameters: unknown[]) => keys.of(resolved, parameters, SCOPE, ORIGIN);
    const list = fc.array(value, { maxLength: 3 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        // To PostgreSQL 0 and -0 are the same text.
        const isSame = JSON.stringify(a, typed) === JSON.stringify(b, typed);
        expect(keyOf(a) === keyOf(b)).toBe(isSame);
      }),
      { numRuns: 1_000 },
    );
    expect(keyOf(['x', new Date(5)])).toBe(keyOf(['x', new Date(5)]));
  });

  it('is another for another role, database, schema, search path, text or setting', () => {
    const resolved = resolve('SELECT 2');
    const all = [
      keys.of(resolved, [], SCOPE, ORIGIN),
      keys.of(resolved, [], { ...SCOPE, role: 'writer' }, ORIGIN),
      keys.of(resolved, [], { ...SCOPE, variables: { 'app.a': '1' } }, ORIGIN),
      keys.of(resolved, [], { ...SCOPE, variables: { 'app.a': '1', 'app.b': '2' } }, ORIGIN),
      keys.of(resolve('SELECT 2'), [], { ...SCOPE, searchPath: ['other'] }, ORIGIN),
      keys.of(resolve('SELECT 2'), [], SCOPE, { ...ORIGIN, database: 'host/other' }),
      keys.of(resolve('SELECT 2'), [], SCOPE, { ...ORIGIN, schemaVersion: '2' }),
      keys.of(resolve('SELECT 3'), [], SCOPE, ORIGIN),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(keys.of(resolve('SELECT 2'), [], SCOPE, ORIGIN)).toBe(all[0]);
    const swapped = { ...SCOPE, variables: { 'app.b': '2', 'app.a': '1' } };
    expect(keys.of(resolved, [], swapped, ORIGIN)).toBe(all[3]);
  });

  it('has none for parameters without a text of their own', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    for (const it of [circular, { toPostgres: () => 'x' }, () => 1, [() => 1]])
      expect(keys.of(resolve('SELECT 4'), [it], SCOPE, ORIGIN)).toBeUndefined();
  });
});

/** Tells apart what JSON does not. */
function typed(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (original instanceof Date) return { date: original.getTime() };
  if (Buffer.isBuffer(original)) return { bytes: original.toString('hex') };
  if (typeof original === 'bigint') return { bigint: String(original) };
  if (original === undefined) return { undefined: true };
  if (typeof original === 'number') return { number: String(original) };
  return value;
}
