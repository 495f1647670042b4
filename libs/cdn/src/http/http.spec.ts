import { describe, expect, it } from '@jest/globals';
import { acceptedCodings } from './accept-encoding.js';
import { parseByteRanges } from './byte-ranges.js';
import { evaluateConditions, rangeApplies } from './conditions.js';
import { parseRequestPath } from './request-path.js';

describe('acceptedCodings', () => {
  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip identity'],
    ['gzip, br', 'br gzip identity'],
    ['gzip;q=1.0, br;q=0.5', 'gzip br identity'],
    ['GZIP;Q=0.5 , BR ; q=0.9', 'br gzip identity'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0, *', 'br zstd identity'],
    ['*', 'br zstd gzip identity'],
    ['*;q=0', ''],
    ['identity;q=0', ''],
    ['gzip, identity;q=0', 'gzip'],
    ['br, *;q=0', 'br'],
    ['identity;q=1, gzip;q=0.5', 'identity gzip'],
    ['x-gzip', 'gzip identity'],
    ['x-broken, gzipped', 'identity'],
    ['gzip;q=2, br;q=abc', 'identity'],
    ['gzip;q=0.0001', 'identity'],
    ['deflate, compress', 'identity'],
    [',,gzip,,', 'gzip identity'],
  ])('reads %j as %j', (header, codings) => expect(acceptedCodings(header).join(' ')).toBe(codings));
});

describe('parseByteRanges', () => {
  const parse = (header: string, max = 10) => {
    const ranges = parseByteRanges(header, 10, max);
    return Array.isArray(ranges) ? ranges.map((it) => `${it.start}-${it.end}`).join(' ') : ranges;
  };
  it.each([
    ['bytes=0-4', '0-4'],
    ['bytes=0-0', '0-0'],
    ['bytes=5-', '5-9'],
    ['bytes=-3', '7-9'],
    ['bytes=-99999999999999999999', '0-9'],
    ['bytes=2-18446744073709551615', '2-9'],
    ['BYTES = 1-2', '1-2'],
    ['bytes=0-1,8-9', '0-1 8-9'],
    ['bytes=8-9, 0-1', '8-9 0-1'],
    ['bytes=0-1,2-3,1-5', '0-5'],
    ['bytes=0-1,20-30', '0-1'],
    ['bytes=,0-1,,', '0-1'],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=18446744073709551616-', 'unsatisfiable'],
    ['bytes=5-2', undefined],
    ['bytes=99999999999999999999-99999999999999999998', undefined],
    ['bytes=', undefined],
    ['bytes=-', undefined],
    ['bytes=a-b', undefined],
    ['bytes=0-1;2-3', undefined],
    ['items=0-1', undefined],
    ['bytes=1.5-2', undefined],
  ])('reads %j as %j', (header, ranges) => expect(parse(header)).toBe(ranges));

  it('sends everything rather than very many parts', () => {
    const many = Array.from({ length: 200 }, (_, i) => `${3 * i}-${3 * i}`).join(',');
    expect(parseByteRanges(`bytes=${many}`, 1_000, 16)).toBeUndefined();
    expect(parseByteRanges(`bytes=${'0-9,'.repeat(200)}`, 1_000, 16)).toEqual([{ start: 0, end: 9 }]);
    expect(parseByteRanges(`bytes=${'0-0,'.repeat(2_000)}`, 1_000, 16)).toBeUndefined();
  });

  it('knows no range of nothing', () => {
    expect(parseByteRanges('bytes=0-', 0, 1)).toBe('unsatisfiable');
    expect(parseByteRanges('bytes=-1', 0, 1)).toBe('unsatisfiable');
  });
});

describe('conditions', () => {
  const at = 'Fri, 20 Nov 2026 10:00:00 GMT';
  const before = 'Fri, 20 Nov 2026 09:59:59 GMT';
  const validators = { etag: '"a,b"', lastModifiedMs: Date.parse(at) };
  it.each([
    [{}, 'proceed'],
    [{ 'if-none-match': '"a,b"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"a,b"' }, 'not-modified'],
    [{ 'if-none-match': '"x", W/"a,b", "y"' }, 'not-modified'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': '"a"' }, 'proceed'],
    [{ 'if-none-match': '"x"', 'if-modified-since': at }, 'proceed'],
    [{ 'if-modified-since': at }, 'not-modified'],
    [{ 'if-modified-since': 'Friday, 20-Nov-26 10:00:00 GMT' }, 'not-modified'],
    [{ 'if-modified-since': 'Fri Nov 20 10:00:00 2026' }, 'not-modified'],
    [{ 'if-modified-since': before }, 'proceed'],
    [{ 'if-modified-since': 'yesterday' }, 'proceed'],
    [{ 'if-modified-since': '2030' }, 'proceed'],
    [{ 'if-match': '"a,b"' }, 'proceed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': 'W/"a,b"' }, 'failed'],
    [{ 'if-match': '"x"' }, 'failed'],
    [{ 'if-match': '"x"', 'if-none-match': '"a,b"' }, 'failed'],
    [{ 'if-match': '"a,b"', 'if-unmodified-since': before }, 'proceed'],
    [{ 'if-unmodified-since': before }, 'failed'],
    [{ 'if-unmodified-since': at }, 'proceed'],
  ] as const)('%j: %s', (headers, verdict) => expect(evaluateConditions(headers, validators)).toBe(verdict));

  it.each([
    [{}, true],
    [{ 'if-range': '"a,b"' }, true],
    [{ 'if-range': 'W/"a,b"' }, false],
    [{ 'if-range': '"x"' }, false],
    [{ 'if-range': at }, true],
    [{ 'if-range': before }, false],
    [{ 'if-range': 'Fri, 20 Nov 2026 10:00:01 GMT' }, false],
    [{ 'if-range': 'nonsense' }, false],
  ] as const)('a range with %j counts: %s', (headers, counts) =>
    expect(rangeApplies(headers, validators)).toBe(counts),
  );
});

describe('parseRequestPath', () => {
  it.each([
    ['/', '/', true],
    ['/a/b.js', '/a/b.js', true],
    ['/a/', '/a/', true],
    ['/foo%20bar', '/foo bar', true],
    ['/%E3%81%82', '/あ', true],
    ['/.well-known/x', '/.well-known/x', true],
    ['/a%252e', '/a%2e', true],
    ['http://example.com/a?b', '/a', true],
    ['http://example.com', '/', true],
    ['/%61', '/a', false],
    ['/%e3%81%82', '/あ', false],
    ['//a', '/a', false],
    ['/a//b', '/a/b', false],
    ['/a/./b', '/a/b', false],
    ['/a/../b', '/b', false],
    ['/a/%2e%2E/b', '/b', false],
    ['/a/..', '/', false],
    ['/a/b/..', '/a/', false],
    ['/a/.', '/a/', false],
  ])('%s is %s, canonical: %s', (target, path, isCanonical) => {
    expect(parseRequestPath(target)).toMatchObject({ path, isCanonical });
  });

  it.each([
    '/../a',
    '/a/../../b',
    '/%2e%2e/a',
    '/a%2fb',
    '/a%2F..%2F..',
    '/a%5c..',
    '/a\\..\\b',
    '/a%0ab',
    '/..',
  ])('forbids %s', (target) => expect(parseRequestPath(target)).toBe('forbidden'));
  it.each(['/%', '/%zz', '/a%00.js', '/%C0%AE%C0%AE/', '*', 'example.com:80'])('refuses %s', (target) =>
    expect(parseRequestPath(target)).toBe('malformed'),
  );

  it('keeps the query as it was sent', () => {
    expect(parseRequestPath('/a?v=%31&b#c')).toMatchObject({ path: '/a', query: 'v=%31&b' });
    expect(parseRequestPath('//a/?x')).toMatchObject({ canonical: '/a/', query: 'x' });
  });
});
