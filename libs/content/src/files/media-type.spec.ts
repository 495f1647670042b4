import { describe, expect, it } from '@jest/globals';
import { mediaTypeOf } from './media-type.js';

describe('mediaTypeOf', () => {
  it.each([
    ['a.md', undefined, 'text/markdown'],
    ['a.bin', 'text/plain; charset=utf-8', 'text/plain; charset=utf-8'],
    ['a.json', 'application/octet-stream', 'application/json'],
    ['a.json', 'not a type', 'application/json'],
    ['a.json', 'text/html\r\nx: y', 'application/json'],
    ['noending', undefined, 'application/octet-stream'],
  ])('of %s stated as %j is %s', (path, stated, expected) => {
    expect(mediaTypeOf(path, stated)).toBe(expected);
  });
});
