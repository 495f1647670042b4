import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sseData } from './sse-events.js';

async function read(pieces: readonly Uint8Array[]): Promise<string[]> {
  const events: string[] = [];
  // eslint-disable-next-line @typescript-eslint/require-await -- a stream is asynchronous, its pieces are here
  const body = async function* () {
    yield* pieces;
  };
  for await (const data of sseData(body())) events.push(data);
  return events;
}

it('reads the same events however the bytes are cut', async () => {
  const text = ': note\r\nevent: x\ndata: {"a":"é"}\n\ndata:one\ndata: two\r\n\r\ndata: [DONE]\r\r';
  const bytes = Buffer.from(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((left, right) => left - right), bytes.length];
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      const events = await read(pieces);
      expect(events.slice(0, 2)).toEqual(['{"a":"é"}', 'one\ntwo']);
    }),
  );
});

it('gives no event that was not ended', async () => {
  expect(await read([Buffer.from('data: {"half":')])).toEqual([]);
  expect(await read([Buffer.from('data: one\n\ndata: two\n')])).toEqual(['one']);
});
