import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { inPieces, readAtLeast, resume, toBuffer } from './byte-streams.js';

const collect = async (chunks: AsyncIterable<Buffer>) => {
  const all: string[] = [];
  for await (const chunk of chunks) all.push(chunk.toString());
  return all;
};

describe('byte streams', () => {
  it('take text and any bytes, and nothing else', () => {
    expect(toBuffer('ä')).toEqual(Buffer.from('ä'));
    expect(toBuffer(Uint8Array.of(1, 2))).toEqual(Buffer.of(1, 2));
    expect(() => toBuffer({})).toThrow(TypeError);
  });

  it('are read a little at a time and then to their end', async () => {
    const source = Readable.from(['ab', 'cd', 'ef'])[Symbol.asyncIterator]();
    const start = await readAtLeast(source, 3);
    expect(start.toString()).toBe('abcd');
    expect(await collect(resume([start], source))).toEqual(['abcd', 'ef']);
    expect((await readAtLeast(source, 3)).length).toBe(0);
  });

  it('end their source when nobody reads on', async () => {
    const source = Readable.from(['ab', 'cd', 'ef']);
    for await (const chunk of resume([Buffer.from('x')], source[Symbol.asyncIterator]())) {
      if (chunk.toString() === 'ab') break;
    }
    expect(source.destroyed).toBe(true);
  });

  it('are joined into pieces that are worth a write', async () => {
    expect(await collect(inPieces(['a', 'b', 'c', 'defgh', 'i'], 3))).toEqual(['abc', 'defgh', 'i']);
    expect(await collect(inPieces([], 3))).toEqual([]);
  });
});
