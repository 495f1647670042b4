import { describe, expect, it } from '@jest/globals';
import { fingerprintOf, normalizedError } from './fingerprint.js';

describe('the normalised error', () => {
  it.each([
    ['connect ECONNREFUSED 10.0.0.7:5432', 'connect ECONNREFUSED <n>:<n>'],
    ['took longer than 50 ms', 'took longer than <n> ms'],
    ['no user 3f2b8c1e-1d2e-4f5a-9b8c-7d6e5f4a3b2c', 'no user <uuid>'],
    ['commit 9fceb02d0ae598e95dc970b74767f19372d61af8 is gone', 'commit <n> is gone'],
    ['at address 0xDEADBEEF', 'at address <n>'],
    ['since 2026-11-21T16:50:45.123Z', 'since <time>'],
    ['since 2026-11-21', 'since <time>'],
    ['Unexpected token \'a\', "abc" is not valid JSON', 'Unexpected token <text>, <text> is not valid JSON'],
    ["can't open 'a file', isn't there", "can't open <text>, isn't there"],
    ['worker12 of 1,000.5\n  items', 'worker<n> of <n> items'],
    ['a face in the facade', 'a face in the facade'],
    ['“résumé.pdf” is missing', '<text> is missing'],
  ])('of %j is %j', (message, expected) => {
    expect(normalizedError(message)).toBe(expected);
  });
});

describe('a fingerprint', () => {
  it('is stable', () => {
    expect(fingerprintOf('images.resize', 'no image 42')).toBe(fingerprintOf('images.resize', 'no image 7'));
    expect(fingerprintOf('images.resize', 'no image 42')).toBe('304cc4a6115e61a4');
  });

  it('tells tasks apart', () => {
    expect(fingerprintOf('a', 'broken')).not.toBe(fingerprintOf('b', 'broken'));
  });
});
