import { quoteIdentifier } from './quote-identifier.js';

describe('quoteIdentifier', () => {
  it('doubles the quotes in a name, so that nothing can end it', () => {
    expect(quoteIdentifier('files')).toBe('"files"');
    expect(quoteIdentifier('a"; DROP TABLE files; --')).toBe('"a""; DROP TABLE files; --"');
  });

  it('refuses what PostgreSQL cannot hold', () => {
    expect(() => quoteIdentifier('')).toThrow(RangeError);
    expect(() => quoteIdentifier('a\0b')).toThrow(RangeError);
  });
});
