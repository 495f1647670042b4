import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeText, MAX_INDEXED_BYTES, mayHoldText } from './decode-text.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('decodeText', () => {
  it('reads UTF-8 with and without a byte order mark', () => {
    expect(decodeText(Buffer.from('héllo\n'), 7)).toEqual({ text: 'héllo\n', detail: null });
    expect(decodeText(bytes(0xef, 0xbb, 0xbf, 0x61), 4)).toEqual({ text: 'a', detail: null });
  });

  it('reads UTF-16 by its byte order mark', () => {
    expect(decodeText(bytes(0xff, 0xfe, 0x61, 0x00), 4)).toEqual({ text: 'a', detail: null });
    expect(decodeText(bytes(0xfe, 0xff, 0x00, 0x61), 4)).toEqual({ text: 'a', detail: null });
  });

  it('replaces invalid UTF-8 and says so', () => {
    const result = decodeText(bytes(0x61, 0xff, 0x62), 3);
    expect(result.text).toBe('a\ufffdb');
    expect(result.detail).toContain('not valid UTF-8');
  });

  it('takes content with a NUL for binary', () => {
    expect(decodeText(bytes(0x61, 0, 0x62), 3).text).toBeNull();
  });

  it('cuts a long text between characters and says so', () => {
    const long = Buffer.from(`x${'é'.repeat(MAX_INDEXED_BYTES)}`);
    const result = decodeText(long.subarray(0, MAX_INDEXED_BYTES), long.length);
    expect(result.text).not.toContain('\ufffd');
    expect(result.detail).toBe('Only the first 262,144 bytes are searchable.');
  });

  it('keeps the text within the limit when decoding makes it longer', () => {
    const result = decodeText(new Uint8Array(MAX_INDEXED_BYTES).fill(0xff), MAX_INDEXED_BYTES);
    expect(Buffer.byteLength(result.text ?? '')).toBe(MAX_INDEXED_BYTES - 1);
    expect(result.detail).toContain('not valid UTF-8');
    expect(result.detail).toContain('Only the first 262,144 bytes are searchable.');
  });

  it('never gives a control character but tab and line ends, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (input) => {
        const { text } = decodeText(input, input.length);
        if (text !== null) expect(text.replaceAll(/[\t\n\r]/g, '')).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('mayHoldText', () => {
  it.each([
    ['text/markdown', true],
    ['image/svg+xml', true],
    ['application/octet-stream', true],
    ['image/png', false],
    ['application/pdf', false],
  ])('%s: %s', (mediaType, expected) => {
    expect(mayHoldText(mediaType)).toBe(expected);
  });
});
