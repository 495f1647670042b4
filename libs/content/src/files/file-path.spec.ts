import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidFilePathError } from '../content.errors.js';
import { fileName, MAX_PATH_BYTES, parseFilePath } from './file-path.js';

describe('parseFilePath', () => {
  it.each(['README.md', 'docs/guide.md', 'a b/ç/日本.txt', '...', 'a/..b/c'])('takes %s as it is', (path) => {
    expect(parseFilePath(path)).toBe(path);
  });

  it('drops leading slashes and composes accents', () => {
    expect(parseFilePath('//docs/a.md')).toBe('docs/a.md');
    expect(parseFilePath('cafe\u0301.md')).toBe('caf\u00e9.md');
  });

  it.each([
    ['', 'empty'],
    ['/', 'empty'],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['../etc/passwd', 'segment ".."'],
    ['a/./b', 'segment "."'],
    ['a\0b', 'control character'],
    ['a\nb', 'control character'],
    ['a\\b', 'backslash'],
    ['a\ud800', 'surrogate'],
    ['x'.repeat(5_000), 'longer than 1024 bytes'],
    ['é'.repeat(513), 'longer than 1024 bytes'],
  ])('refuses %j and says why', (path, reason) => {
    expect(() => parseFilePath(path)).toThrow(InvalidFilePathError);
    expect(() => parseFilePath(path)).toThrow(reason);
  });

  it('gives a path that it takes again unchanged, without dot segments, or refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        let path: string;
        try {
          path = parseFilePath(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidFilePathError);
          return;
        }
        expect(parseFilePath(path)).toBe(path);
        expect(path.split('/')).not.toContain('..');
        expect(Buffer.byteLength(path)).toBeLessThanOrEqual(MAX_PATH_BYTES);
        expect(path.endsWith(fileName(path))).toBe(true);
      }),
    );
  });
});
