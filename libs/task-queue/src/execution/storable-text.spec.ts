import { describe, expect, it } from '@jest/globals';
import { storableError, storableText } from './storable-text.js';

describe('storable text', () => {
  it('has no NUL and no lone surrogate', () => {
    expect(storableText('a\0b\ud800c😀', 100)).toBe('a\uFFFDb\uFFFDc😀');
  });

  it('is cut, but never into half a character', () => {
    expect(storableText('abc', 2)).toBe('ab…');
    expect(storableText('a😀', 2)).toBe('a\uFFFD…');
  });

  it('keeps the message and the stack of an error, and the text of anything else', () => {
    const error = new Error('why\0');
    expect(storableError(error)).toMatchObject({ message: 'why\uFFFD' });
    expect(storableError(error).stack).toContain('storable-text.spec');
    expect(storableError({ toString: () => 'odd' }).message).toBe('odd');
  });
});
