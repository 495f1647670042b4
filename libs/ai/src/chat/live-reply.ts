import { AiStreamBrokenError } from '../ai.errors.js';
import { type ChatReply } from './chat-reply.js';

/**
 * A reply on its way: who comes late gets the chunks so far, then the live ones. Fed by the call that is paid, or by what the
 * journal tells of one in another process.
 */
export class LiveReply {
  #chunks: string[] = [];
  /** Rises when another call begins anew. */
  #run = 0;
  #reply: ChatReply | undefined;
  #error: unknown;
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  /** Chunks so far. */
  get length(): number {
    return this.#chunks.length;
  }

  push(...chunks: readonly string[]): void {
    if (chunks.length === 0) return;
    this.#chunks.push(...chunks);
    this.#tell();
  }

  /** What came is of no use: another call begins. Who has seen some of it already can only be told that it broke off. */
  restart(): void {
    if (this.#chunks.length === 0) return;
    this.#chunks = [];
    this.#run++;
    this.#tell();
  }

  complete(reply: ChatReply): void {
    const begun = this.#chunks.every((it, index) => it === reply.chunks[index]);
    if (!begun) this.restart();
    this.#chunks = [...reply.chunks];
    this.#reply = reply;
    this.#end();
  }

  fail(error: unknown): void {
    this.#error = error;
    this.#end();
  }

  /** The whole reply. @throws what the call has failed with, or the signal's reason */
  async whole(signal?: AbortSignal): Promise<ChatReply> {
    while (!this.#isOver) await this.#next(signal);
    if (this.#reply) return this.#reply;
    throw this.#error;
  }

  /**
   * The chunks in lots: what is there, then what comes.
   *
   * @throws {AiStreamBrokenError} when another call has begun after the first lot; what the call has failed with; the signal's reason
   */
  async *read(signal?: AbortSignal): AsyncGenerator<readonly string[]> {
    let run = this.#run;
    let given = 0;
    for (;;) {
      if (run !== this.#run && given > 0)
        throw new AiStreamBrokenError('the process that asked for it is gone');
      run = this.#run;
      if (given < this.#chunks.length) {
        const lot = this.#chunks.slice(given);
        given = this.#chunks.length;
        yield lot;
      } else if (this.#isOver) {
        if (this.#reply) return;
        throw this.#error;
      } else await this.#next(signal);
    }
  }

  async #next(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!signal) return this.#changed.promise;
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#changed.promise, promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
