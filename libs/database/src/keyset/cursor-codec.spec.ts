import { InvalidCursorError } from '../database.errors.js';

import { CursorCodec, type CursorPosition } from './cursor-codec.js';

const codec = new CursorCodec('a secret of the tests');
const position: CursorPosition = { direction: 'forward', inclusive: false, values: ['docs/ä.md', 0.1, '7'] };

describe('CursorCodec', () => {
  it('reads back what it made, in characters that need no escape in a url', () => {
    const cursor = codec.encode('files', position);
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(codec.decode('files', cursor)).toEqual(position);
    const backward = { ...position, direction: 'backward', inclusive: true } as const;
    expect(codec.decode('files', codec.encode('files', backward))).toEqual(backward);
  });

  it('refuses a cursor of another scope or another secret', () => {
    const cursor = codec.encode('files:1', position);
    expect(() => codec.decode('files:2', cursor)).toThrow(InvalidCursorError);
    expect(() => new CursorCodec('another secret here').decode('files:1', cursor)).toThrow(
      InvalidCursorError,
    );
  });

  it('refuses a cursor with any one character changed, added or left out', () => {
    const cursor = codec.encode('files', position);
    for (let at = 0; at < cursor.length; at++) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      for (const wrong of [
        cursor.slice(0, at) + other + cursor.slice(at + 1),
        cursor.slice(0, at),
        `${cursor.slice(0, at)}!${cursor.slice(at)}`,
      ]) {
        expect(() => codec.decode('files', wrong)).toThrow(InvalidCursorError);
      }
    }
  });

  it.each(['', 'x', '\0', 'ÄÖÜ', 'A'.repeat(5_000), '../../etc/passwd', `${'A'.repeat(30)}==`])(
    'refuses %j',
    (cursor) => {
      expect(() => codec.decode('files', cursor)).toThrow(InvalidCursorError);
    },
  );

  it('does not make a cursor that it would refuse', () => {
    expect(() => codec.encode('files', { ...position, values: ['x'.repeat(4_000)] })).toThrow(RangeError);
  });

  it('wants a secret worth the name', () => {
    expect(() => new CursorCodec('short')).toThrow(RangeError);
  });
});
