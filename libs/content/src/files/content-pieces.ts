import { type CacheNamespace } from '@peregrine/cache';
import { Readable } from 'node:stream';
import { type ObjectStore } from '../storage/object-store.js';
import { type ByteRange } from '../storage/storage-driver.js';
import type { FileLocation } from './file-content.service.js';

/** Size of a piece, bytes; the last one of a content may be smaller. */
export const PIECE_BYTES = 1_048_576;

/**
 * Large contents through the cache: in pieces of 1 MiB that only the object tier keeps, so that a reader holds one piece,
 * a range needs only its own, and the memory stays free for what is small.
 */
export class ContentPieces {
  constructor(
    private readonly cached: CacheNamespace,
    private readonly store: ObjectStore,
  ) {}

  /**
   * A stream of the content or a range of it. Rejects as `ObjectStore.open` before the first byte; later failures are
   * errors of the stream.
   */
  async open(
    location: FileLocation,
    range: ByteRange = { start: 0, end: location.sizeBytes - 1 },
    signal?: AbortSignal,
  ): Promise<Readable> {
    const pieces = this.#pieces(location, range, signal);
    const first = await pieces.next();
    return Readable.from(startingWith(first, pieces), { objectMode: false });
  }

  async *#pieces(
    location: FileLocation,
    { start, end }: ByteRange,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer, void> {
    const source = new PieceSource(this.store, location, end);
    try {
      for (let at = start; at <= end;) {
        // Others may wait for this piece too: a reader that leaves does so between two.
        signal?.throwIfAborted();
        const index = Math.floor(at / PIECE_BYTES);
        const piece = await this.cached.getOrSet(
          `content:${location.sha256}:${index}`,
          () => source.piece(index),
          { contentHashes: [location.sha256], tiers: ['object'] },
        );
        const offset = index * PIECE_BYTES;
        const bytes = piece.subarray(at - offset, end - offset + 1);
        yield bytes;
        at += bytes.length;
      }
    } finally {
      source.close();
    }
  }
}

/** The pieces of one stored object. Asked for in order, they come from one stream. */
class PieceSource {
  #chunks: AsyncIterator<Buffer, void> | undefined;
  #stream: Readable | undefined;
  #next = -1;
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly store: ObjectStore,
    private readonly location: FileLocation,
    private readonly lastWanted: number,
  ) {}

  async piece(index: number): Promise<Buffer> {
    if (this.#chunks === undefined || index !== this.#next) await this.#openAt(index);
    const start = index * PIECE_BYTES;
    const length = Math.min(PIECE_BYTES, this.location.sizeBytes - start);
    const parts = [this.#rest];
    let bytes = this.#rest.length;
    while (bytes < length) {
      const next = await (this.#chunks as AsyncIterator<Buffer, void>).next();
      if (next.done === true) throw new Error(`The stored object ended ${length - bytes} bytes early`);
      parts.push(next.value);
      bytes += next.value.length;
    }
    const all = Buffer.concat(parts, bytes);
    this.#rest = all.subarray(length);
    this.#next = index + 1;
    return all.subarray(0, length);
  }

  close(): void {
    this.#stream?.destroy();
    this.#chunks = undefined;
  }

  async #openAt(index: number): Promise<void> {
    this.close();
    this.#rest = Buffer.alloc(0);
    const { object, sizeBytes } = this.location;
    const end = Math.min((Math.floor(this.lastWanted / PIECE_BYTES) + 1) * PIECE_BYTES, sizeBytes) - 1;
    this.#stream = await this.store.open(object, { start: index * PIECE_BYTES, end });
    this.#chunks = this.#stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, void>;
  }
}

async function* startingWith(
  first: IteratorResult<Buffer, void>,
  rest: AsyncGenerator<Buffer, void>,
): AsyncGenerator<Buffer> {
  try {
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}
