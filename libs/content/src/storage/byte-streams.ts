import { pipeline, Readable, Transform } from 'node:stream';
import type { ByteRange } from './storage-driver.js';
import { StorageObjectTooLargeError, StorageRangeError } from './storage.errors.js';

/** A stream of these bytes. */
export function streamOf(bytes: Buffer): Readable {
  return new Readable({
    read() {
      this.push(bytes);
      this.push(null);
    },
  });
}

/** Any chunk that a stream may give, as bytes. */
export function toBuffer(chunk: Uint8Array | string): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/**
 * Reads a stream to its end, and destroys it when it is longer than `maxBytes`.
 *
 * @throws {StorageObjectTooLargeError}
 */
export async function collect(stream: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
    const bytes = toBuffer(chunk);
    sizeBytes += bytes.length;
    if (sizeBytes > maxBytes) throw new StorageObjectTooLargeError(maxBytes);
    chunks.push(bytes);
  }
  const [first] = chunks;
  return chunks.length === 1 && first ? first : Buffer.concat(chunks, sizeBytes);
}

/**
 * The first and last byte to read of an object, `undefined` when it has no bytes and all of it is asked for.
 *
 * @throws {StorageRangeError}
 */
export function resolveRange(range: ByteRange | undefined, sizeBytes: number): ByteRange | undefined {
  if (!range) return sizeBytes === 0 ? undefined : { start: 0, end: sizeBytes - 1 };
  assertRange(range);
  if (range.start >= sizeBytes) throw new StorageRangeError(range);
  return { start: range.start, end: Math.min(range.end, sizeBytes - 1) };
}

/** @throws {StorageRangeError} when no object can have these bytes */
export function assertRange(range: ByteRange): void {
  const valid = Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end) && range.start >= 0;
  if (!valid || range.end < range.start) throw new StorageRangeError(range);
}

/** `lengthBytes` bytes of a stream, after the first `skipBytes`. What follows is read and dropped. */
export function slice(source: Readable, skipBytes: number, lengthBytes: number): Readable {
  let position = 0;
  const slicer = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const from = Math.max(0, skipBytes - position);
      const to = Math.min(chunk.length, skipBytes + lengthBytes - position);
      position += chunk.length;
      done(null, from < to ? chunk.subarray(from, to) : undefined);
    },
  });
  // The reader of the slicer gets its failure as an event of the slicer.
  pipeline(source, slicer, () => undefined);
  return slicer;
}
