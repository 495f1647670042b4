import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { CdnFileChangedError } from '../cdn.errors.js';
import type { ByteRange } from '../http/byte-ranges.js';

/** Part of a body: bytes at hand, or bytes of the file. */
export type Segment = Buffer | ByteRange;

/** A body that is read from an open file while it is sent. Exactly one of `sendTo`, `stream` and `close` ends it. */
export class FileBody {
  constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
    private readonly segments: readonly Segment[],
    private readonly chunkBytes: number,
  ) {}

  /**
   * Writes the body and ends `target`. When the file became shorter, or the client has gone, `target` is destroyed: a
   * cut connection tells a client that something is missing, an early end would not.
   */
  async sendTo(target: Writable): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(this.chunkBytes);
    try {
      // A chunk has left the process when its write is done, so that one buffer serves a whole download.
      for await (const chunk of this.#chunks(() => buffer)) await write(target, chunk);
      target.end();
    } catch (error) {
      target.destroy(error as Error);
    }
  }

  /** The body for another transport than a Node response. Each chunk is its receiver's to keep. */
  stream(): AsyncGenerator<Buffer> {
    return this.#chunks(() => Buffer.allocUnsafe(this.chunkBytes));
  }

  /** Without sending. */
  close(): Promise<void> {
    return this.handle.close();
  }

  async *#chunks(bufferFor: () => Buffer): AsyncGenerator<Buffer> {
    try {
      for (const segment of this.segments) {
        if (Buffer.isBuffer(segment)) {
          yield segment;
          continue;
        }
        for (let position = segment.start; position <= segment.end;) {
          const wanted = Math.min(this.chunkBytes, segment.end - position + 1);
          const { bytesRead, buffer } = await this.handle.read(bufferFor(), 0, wanted, position);
          if (bytesRead === 0) throw new CdnFileChangedError(this.path);
          position += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      }
    } finally {
      await this.handle.close();
    }
  }
}

/** Resolves when the chunk has left, rejects when the client has gone. */
function write(target: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('The client has gone'));
    if (target.destroyed) return onClose();
    // Of a response that waits for its turn on the connection, nobody calls the callback when that breaks.
    target.once('close', onClose);
    target.write(chunk, (error) => {
      target.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
