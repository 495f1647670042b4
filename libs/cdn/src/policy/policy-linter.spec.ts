import { describe, expect, it } from '@jest/globals';
import { type HeaderPair, lintHeaders } from './policy-linter.js';

const rulesOf = (
  headers: HeaderPair[],
  facts: { isHashed?: boolean; isNegotiable?: boolean; status?: number } = {},
) => lintHeaders({ headers, isHashed: false, isNegotiable: false, ...facts }).map((it) => it.rule);

describe('lintHeaders', () => {
  it('finds nothing in what is right', () => {
    const headers: HeaderPair[] = [
      ['Cache-Control', 'public, max-age=31536000, immutable'],
      ['Vary', 'Origin, accept-encoding'],
      ['Set-Cookie2', 'a'],
      ['Link', '<a>; rel=preload'],
      ['Link', '<b>; rel=preload'],
    ];
    expect(rulesOf(headers, { isHashed: true, isNegotiable: true })).toEqual([]);
    expect(
      rulesOf([
        ['Cache-Control', 'private, max-age=0'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=1'],
      ]),
    ).toEqual([]);
    expect(rulesOf([['Cache-Control', 'public, max-age=10']], { status: 404 })).toEqual([]);
  });

  it.each<[string, HeaderPair[], object, string]>([
    ['immutable without a hash', [['cache-control', 'max-age=60, Immutable']], {}, 'immutable-unhashed'],
    ['codings without Vary', [['Vary', 'Origin']], { isNegotiable: true }, 'negotiable-without-vary'],
    ['Vary: *', [['Vary', '*']], { isNegotiable: true }, 'vary-anything'],
    [
      'a public cookie',
      [
        ['Cache-Control', 'public'],
        ['Set-Cookie', 'a=1'],
      ],
      {},
      'public-set-cookie',
    ],
    [
      'a cookie for the CDN',
      [
        ['CDN-Cache-Control', 'public, max-age=1'],
        ['Set-Cookie', 'a'],
      ],
      {},
      'public-set-cookie',
    ],
    [
      'two of one header',
      [
        ['Cache-Control', 'no-cache'],
        ['cache-control', 'max-age=1'],
      ],
      {},
      'doubled-header',
    ],
    ['public and private', [['Cache-Control', 'public, private']], {}, 'contradiction'],
    ['no-store with a life', [['Cache-Control', 'no-store, max-age=5']], {}, 'contradiction'],
    ['a 404 for a year', [['Cache-Control', 'public, max-age=31536000']], { status: 404 }, 'lasting-failure'],
  ])('finds %s', (_, headers, facts, rule) => {
    expect(rulesOf(headers, facts)).toEqual([rule]);
  });
});
