import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

export const MIB = 1024 * 1024;

const BLOCK_BYTES = 64 * 1024;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A stream of these chunks, one per read. */
export function chunked(...chunks: Uint8Array[]): Readable {
  return Readable.from(chunks, { objectMode: false });
}

/** The bytes of a block of a generated stream; each block differs from the others. */
function block(offset: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes, (offset / BLOCK_BYTES) % 251);
  if (lengthBytes >= 4) bytes.writeUInt32BE(offset, 0);
  return bytes;
}

/**
 * `sizeBytes` bytes, made when they are asked for.
 *
 * @param onAsked called before each block with how many bytes were given before it
 */
export function generated(sizeBytes: number, onAsked?: (givenBytes: number) => void): Readable {
  let given = 0;
  return new Readable({
    read() {
      onAsked?.(given);
      const length = Math.min(BLOCK_BYTES, sizeBytes - given);
      const bytes = block(given, length);
      given += length;
      this.push(length === 0 ? null : bytes);
    },
  });
}

/** Fails with `error` after `sizeBytes` bytes; without one it closes before its end, as a lost peer does. */
export function interrupted(sizeBytes: number, error?: Error): Readable {
  const source = generated(Infinity, (given) => {
    if (given >= sizeBytes) source.destroy(error);
  });
  return source;
}

/** SHA-256 of a stream, and the most bytes of it that were in memory at a time. */
export async function digest(stream: Readable): Promise<{ sha256: string; peakBytes: number }> {
  const hash = createHash('sha256');
  let peakBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    peakBytes = Math.max(peakBytes, chunk.length + stream.readableLength);
  }
  return { sha256: hash.digest('hex'), peakBytes };
}

export async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
