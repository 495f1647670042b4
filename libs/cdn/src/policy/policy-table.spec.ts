import { describe, expect, it } from '@jest/globals';
import { CdnOptionsError, CdnPolicyError } from '../cdn.errors.js';
import { mediaTypeOf, PolicyTable } from './policy-table.js';

const YEAR = 31_536_000;
const table = new PolicyTable();

describe('PolicyTable', () => {
  it.each(['app.3f2a1b9c.js', 'css/site-3f2a1b9c.css', 'fonts/a.0123456789abcdef.woff2', 'x.3f2a1b9c.png'])(
    'keeps %s for a year, unchanging',
    (path) => {
      expect(table.policyFor(path).cacheControl).toBe(`public, max-age=${YEAR}, immutable`);
      expect(table.policyFor(path).cdnCacheControl).toBe(`public, max-age=${YEAR}`);
    },
  );

  it.each([
    ['index.html', 'public, max-age=0, s-maxage=3600, must-revalidate'],
    ['index.3f2a1b9c.html', 'public, max-age=0, s-maxage=3600, must-revalidate'],
    ['logo.png', 'public, max-age=2592000'],
    ['logo.svg', 'public, max-age=2592000'],
    ['app.js', 'public, max-age=0, s-maxage=3600, must-revalidate'],
    ['sw.js', 'public, max-age=0, must-revalidate'],
    ['LICENSE', 'public, max-age=0, s-maxage=3600, must-revalidate'],
  ])('sends %s with %s', (path, cacheControl) => {
    expect(table.policyFor(`/some/folder/${path}`).cacheControl).toBe(cacheControl);
  });

  it('lets a CDN keep pages for an hour', () => {
    expect(table.policyFor('/').cdnCacheControl).toMatch(/^public, max-age=3600,/);
    expect(table.policyFor('/index.html').cdnCacheControl).toBe(
      'public, max-age=3600, stale-while-revalidate=60, stale-if-error=86400',
    );
  });

  it('varies what is compressed, and nothing else', () => {
    const negotiable = ['a.js', 'a.css', 'a.html', 'a.json', 'a.svg', 'a.txt', 'a.ttf', 'a.wasm', 'sw.js'];
    const others = ['a.png', 'a.woff2', 'a.mp4', 'a.zip', 'a', 'a.unknown'];
    expect(negotiable.filter((it) => table.policyFor(it).vary !== 'Accept-Encoding')).toEqual([]);
    expect(others.filter((it) => table.policyFor(it).vary !== undefined)).toEqual([]);
  });

  it('sends nosniff with everything, and keeps scripts in images from running', () => {
    for (const { stable, hashed } of table.rules) {
      for (const it of [stable, hashed])
        expect(it.headers).toContainEqual(['X-Content-Type-Options', 'nosniff']);
    }
    expect(table.policyFor('a.svg').headers).toContainEqual([
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    ]);
  });

  it('tells hashes from words, dates and versions', () => {
    const hashed = [
      'a.3f2a1b9c.js',
      'a-3f2a1b9c.min.js',
      'index-BfIB5qxP.js',
      'a_0123456789abcdef01.css',
      'i-D4mHg-_1.js',
    ];
    const words = [
      'jquery-migrated.js',
      'report-20241231.pdf',
      'my-settings.js',
      'logo-Version2.png',
      'feedface.js',
      'a.1.2.3.js',
      'app.min.js',
    ];
    expect(hashed.filter((it) => !table.isHashedName(it))).toEqual([]);
    expect(words.filter((it) => table.isHashedName(it))).toEqual([]);
  });

  it('believes a manifest before the look of a name', () => {
    expect(table.policyFor('app-abcdefgh.js', { isHashed: true }).cacheControl).toContain('immutable');
    expect(table.policyFor('app.3f2a1b9c.js', { isHashed: false }).cacheControl).not.toContain('immutable');
  });

  it('takes new types, and other fields for ready ones', () => {
    const own = new PolicyTable({
      types: {
        model: { extensions: ['glb'], freshness: { browserSeconds: 60 } },
        html: { freshness: { storedBy: 'private', browserSeconds: 5 } },
        secret: {
          names: ['report.html'],
          freshness: { storedBy: 'nobody' },
          hashedFreshness: { storedBy: 'nobody' },
        },
        image: { extensions: ['png', 'ico'] },
      },
      headers: { 'X-Content-Type-Options': 'nosniff', 'Timing-Allow-Origin': '*' },
    });
    expect(own.policyFor('a.glb')).toMatchObject({ type: 'model', cacheControl: 'public, max-age=60' });
    expect(own.policyFor('a.html')).toMatchObject({
      cacheControl: 'private, max-age=5',
      cdnCacheControl: 'no-store',
    });
    expect(own.policyFor('a.html').isNegotiable).toBe(true);
    expect(own.policyFor('x/report.html')).toMatchObject({ type: 'secret', cacheControl: 'no-store' });
    expect(own.policyFor('favicon.ico').type).toBe('image');
    expect(own.policyFor('a.js').headers).toContainEqual(['Timing-Allow-Origin', '*']);
  });

  it('refuses what is unsafe, and says why', () => {
    const immutable = () =>
      new PolicyTable({ types: { css: { freshness: { browserSeconds: 60, isImmutable: true } } } });
    expect(immutable).toThrow(CdnPolicyError);
    expect(immutable).toThrow(/type "css": immutable on a name without a content hash/);
    const cookie = () => new PolicyTable({ headers: { 'Set-Cookie': 'a=1' } });
    expect(cookie).toThrow(/public with Set-Cookie/);
    const doubled = () => new PolicyTable({ headers: { 'cache-control': 'no-cache' } });
    expect(doubled).toThrow(/cache-control stands on several lines/);
  });

  it('refuses options that it does not know, all at once', () => {
    const wrong = () =>
      new PolicyTable({
        types: { css: { freshness: { browserSeconds: -1 }, extensions: ['.css'] } },
        hashedName: '(',
        headers: { 'X-A': 'two\r\nlines' },
      });
    expect(wrong).toThrow(CdnOptionsError);
    for (const text of [/browserSeconds/, /without the dot/, /regular expression/, /one line/])
      expect(wrong).toThrow(text);
  });

  it('names media types, with the character set of text', () => {
    expect(['a.js', 'a.html', 'a.json', 'a.svg', 'a.png', 'a'].map(mediaTypeOf)).toEqual([
      'text/javascript; charset=utf-8',
      'text/html; charset=utf-8',
      'application/json',
      'image/svg+xml',
      'image/png',
      'application/octet-stream',
    ]);
  });
});
