import { describe, expect, it } from '@jest/globals';
import { evaluatePreconditions, rangeApplies } from './preconditions.js';

const validators = { etag: '"abc"', lastModified: new Date('2026-11-21T10:00:00.500Z') };
const same = 'Sat, 21 Nov 2026 10:00:00 GMT';
const before = 'Sat, 21 Nov 2026 09:59:59 GMT';

describe('evaluatePreconditions', () => {
  it.each([
    [{}, 'proceed'],
    [{ 'if-none-match': '"abc"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"abc"' }, 'not-modified'],
    [{ 'if-none-match': '"x", "y,z" , "abc"' }, 'not-modified'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': '"x"' }, 'proceed'],
    [{ 'if-none-match': '"x"', 'if-modified-since': same }, 'proceed'],
    [{ 'if-modified-since': same }, 'not-modified'],
    [{ 'if-modified-since': before }, 'proceed'],
    [{ 'if-modified-since': 'yesterday' }, 'proceed'],
    [{ 'if-match': '"abc"' }, 'proceed'],
    [{ 'if-match': 'W/"abc"' }, 'failed'],
    [{ 'if-match': '"x"' }, 'failed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': '"x"', 'if-none-match': '"abc"' }, 'failed'],
    [{ 'if-unmodified-since': same }, 'proceed'],
    [{ 'if-unmodified-since': before }, 'failed'],
    [{ 'if-match': '"abc"', 'if-unmodified-since': before }, 'proceed'],
  ] as const)('of %j is %s', (headers, expected) => {
    expect(evaluatePreconditions(headers, validators)).toBe(expected);
  });
});

describe('rangeApplies', () => {
  it.each([
    [{}, true],
    [{ 'if-range': '"abc"' }, true],
    [{ 'if-range': 'W/"abc"' }, false],
    [{ 'if-range': '"abc", "x"' }, false],
    [{ 'if-range': same }, true],
    [{ 'if-range': before }, false],
  ] as const)('of %j is %s', (headers, expected) => {
    expect(rangeApplies(headers, validators)).toBe(expected);
  });
});
