import { ObjectStoreError } from '../cache.errors.js';
import { toBuffer } from './byte-streams.js';
import { SourceFailure } from './object-gate.js';

/** @throws {ObjectStoreError} when a chunk takes longer than `idleMs`; the time of the reader does not count. */
export async function* watched(
  chunks: AsyncGenerator<Buffer, void, undefined>,
  idleMs: number,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (;;) {
      const next = await inTime(chunks.next(), idleMs);
      if (next.done === true) return;
      onBytes(next.value.length);
      yield next.value;
    }
  } finally {
    // Not awaited: it may wait for the very chunk that does not come.
    void chunks.return();
  }
}

async function inTime<T>(chunk: Promise<T>, idleMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(idle('read on', idleMs)), idleMs);
  });
  try {
    return await Promise.race([chunk, late]);
  } finally {
    clearTimeout(timer);
  }
}

const idle = (operation: string, idleMs: number) =>
  new ObjectStoreError('object', operation, { cause: new Error(`nothing for ${idleMs} ms`) });

/** Watches a store that reads a stream: its time counts, and that of the source does not. */
export class StreamWatch {
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sourceFailure: SourceFailure | undefined;
  /** That the store has taken so far. */
  bytes = 0;

  constructor(private readonly idleMs: number) {}

  /** Aborted when the store has taken nothing for so long. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The head and the chunks, as the store shall read them. */
  async *frame(head: Buffer, chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer, void, undefined> {
    yield this.#taken(head);
    const source = chunks[Symbol.asyncIterator]();
    try {
      for (let next = await this.#next(source); next !== undefined; next = await this.#next(source)) {
        yield this.#taken(next);
      }
    } finally {
      await source.return?.();
    }
  }

  /** @throws {SourceFailure} when that is why `put` failed */
  async over(put: () => Promise<void>): Promise<void> {
    this.#resume();
    const late = new Promise<never>((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason as Error), { once: true });
    });
    try {
      await Promise.race([put(), late]);
    } catch (error) {
      this.signal.throwIfAborted();
      throw this.#sourceFailure ?? error;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  async #next(source: AsyncIterator<unknown>): Promise<Buffer | undefined> {
    clearTimeout(this.#timer);
    try {
      const next = await source.next();
      return next.done === true ? undefined : toBuffer(next.value);
    } catch (error) {
      this.#sourceFailure = new SourceFailure('The source failed', { cause: error });
      throw error;
    } finally {
      this.#resume();
    }
  }

  #taken(chunk: Buffer): Buffer {
    this.bytes += chunk.length;
    this.#resume();
    return chunk;
  }

  #resume(): void {
    clearTimeout(this.#timer);
    const stop = () => this.#abort.abort(idle('write on', this.idleMs));
    this.#timer = setTimeout(stop, this.idleMs).unref();
  }
}
