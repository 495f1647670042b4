import { Readable } from 'node:stream';

/** A chunk of any byte stream, without a copy. @throws {TypeError} for a stream of objects */
export function toBuffer(chunk: unknown): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (Buffer.isBuffer(chunk)) return chunk;
  if (!(chunk instanceof Uint8Array)) throw new TypeError('The stream does not give bytes');
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** The chunks of a stream or of a generator, as a byte stream. */
export function streamOf(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Readable {
  return Readable.from(chunks, { objectMode: false });
}

/** Chunks that were read already, and then what is left; ends the source when nobody wants more. */
export async function* resume(
  head: readonly Buffer[],
  source: AsyncIterator<unknown>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (const chunk of head) if (chunk.length > 0) yield chunk;
    for (let next = await source.next(); next.done !== true; next = await source.next()) {
      yield toBuffer(next.value);
    }
  } finally {
    await source.return?.();
  }
}

/** Reads until `bytes` have come or the stream ends; what it gives may be longer. */
export async function readAtLeast(source: AsyncIterator<unknown>, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let length = 0; length < bytes;) {
    const next = await source.next();
    if (next.done === true) break;
    const chunk = toBuffer(next.value);
    chunks.push(chunk);
    length += chunk.length;
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** Joins small chunks, so that each write to a disk is worth its call. */
export async function* inPieces(
  chunks: AsyncIterable<unknown> | Iterable<unknown>,
  minBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const buffer = toBuffer(chunk);
    waiting.push(buffer);
    bytes += buffer.length;
    if (bytes < minBytes) continue;
    yield waiting.length === 1 ? buffer : Buffer.concat(waiting, bytes);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes);
}
