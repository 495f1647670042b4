import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { toBuffer } from './byte-streams.js';
import { StorageError, UploadInterruptedError, UploadTooLargeError } from './storage.errors.js';

/**
 * The body of an upload while it is read, once: counts, hashes and limits what passes, and remembers why it
 * failed. It never destroys the body: that may be a request whose connection still has to carry the answer.
 */
export class UploadSource {
  readonly #chunks: AsyncIterator<Uint8Array | string>;
  readonly #hash = createHash('sha256');
  readonly #limitBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#giveUp?.();
  #giveUp: (() => void) | undefined;
  #sizeBytes = 0;
  #failure: StorageError | undefined;
  #ended = false;

  constructor(body: Readable, options: { limitBytes: number; signal?: AbortSignal }) {
    this.#limitBytes = options.limitBytes;
    this.#signal = options.signal;
    this.#chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array | string>;
    this.#signal?.addEventListener('abort', this.#onAbort);
    // A client that goes away after its upload was refused must not end the process.
    body.on('error', () => undefined);
  }

  /** Bytes read so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether the end of the body was reached. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Why the body could not be read to its end, if so. */
  get failure(): StorageError | undefined {
    return this.#failure;
  }

  /**
   * Reads until the body ends, or until more than `maxBytes` have arrived.
   *
   * @throws {UploadTooLargeError}
   * @throws {UploadInterruptedError}
   */
  async readHead(maxBytes: number): Promise<Buffer[]> {
    const head: Buffer[] = [];
    while (this.#sizeBytes <= maxBytes) {
      const chunk = await this.#next();
      if (!chunk) break;
      head.push(chunk);
    }
    return head;
  }

  /** The whole body as a stream: the head that was read, then the rest as it arrives. Fails as `failure` says. */
  stream(head: Buffer[]): Readable {
    const waiting = [...head];
    const next = () => this.#next();
    return new Readable({
      read() {
        const chunk = waiting.shift();
        if (chunk) this.push(chunk);
        else
          next().then(
            (arrived) => this.push(arrived ?? null),
            (error: Error) => this.destroy(error),
          );
      },
    });
  }

  /** SHA-256 of the body, lower-case hexadecimal. Only once, after the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  /** Lets go of the body and of the signal. */
  release(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    // Settles when the body gives the chunk that may still be asked for, or ends: nothing to wait for.
    this.#chunks.return?.().catch(() => undefined);
  }

  /** The next bytes, `undefined` at the end. Never called again before it has settled. */
  async #next(): Promise<Buffer | undefined> {
    try {
      const step = this.#ended ? undefined : await this.#step();
      if (!step || step.done) {
        this.#ended = true;
        return undefined;
      }
      return this.#measure(toBuffer(step.value));
    } catch (error) {
      this.#failure =
        error instanceof StorageError ? error : new UploadInterruptedError(this.#sizeBytes, { cause: error });
      throw this.#failure;
    }
  }

  /** One step of the body, unless the signal comes first: a stalled body would never give it. */
  #step(): Promise<IteratorResult<Uint8Array | string>> {
    return new Promise((resolve, reject) => {
      this.#signal?.throwIfAborted();
      this.#giveUp = () => reject(this.#signal?.reason as Error);
      this.#chunks.next().then(resolve, reject);
    });
  }

  #measure(chunk: Buffer): Buffer {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > this.#limitBytes) throw new UploadTooLargeError(this.#limitBytes);
    this.#hash.update(chunk);
    return chunk;
  }
}
