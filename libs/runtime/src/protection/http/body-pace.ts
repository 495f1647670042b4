import { type IncomingMessage } from 'node:http';

export interface BodyPaceOptions {
  /** Slower is too slow. */
  readonly minBytesPerSecond: number;
  /** The stretch over which the pace is measured, milliseconds. */
  readonly graceMs: number;
}

interface Watched {
  readonly onSlow: () => void;
  sinceMs: number;
  sinceBytes: number;
}

/** Looks so many times at a body within the stretch. */
const LOOKS = 4;

/**
 * Finds bodies that drip in. A time limit for the whole request would cut large uploads off, and one for silence is met by
 * a byte now and then. A sender that waits because its bytes are not read yet is not slow.
 */
export class BodyPace {
  readonly #watched = new Map<IncomingMessage, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: BodyPaceOptions,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Bodies that are arriving. */
  get size(): number {
    return this.#watched.size;
  }

  /** @param onSlow called once when the body of the request is too slow */
  watch(request: IncomingMessage, onSlow: () => void): void {
    this.#watched.set(request, { onSlow, sinceMs: this.now(), sinceBytes: request.socket.bytesRead });
    request.once('close', () => this.#forget(request));
    this.#timer ??= setInterval(() => this.look(), this.options.graceMs / LOOKS).unref();
  }

  /** Looks at every body now. */
  look(): void {
    const { graceMs, minBytesPerSecond } = this.options;
    for (const [request, its] of this.#watched) {
      const { socket, complete, readableLength, readableHighWaterMark } = request;
      const elapsedMs = this.now() - its.sinceMs;
      if (complete) this.#forget(request);
      else if (readableLength >= readableHighWaterMark) this.#startAnew(request, its);
      else if (elapsedMs >= graceMs) {
        if ((socket.bytesRead - its.sinceBytes) * 1_000 < minBytesPerSecond * elapsedMs) {
          this.#forget(request);
          its.onSlow();
        } else this.#startAnew(request, its);
      }
    }
  }

  #startAnew({ socket }: IncomingMessage, its: Watched): void {
    its.sinceMs = this.now();
    its.sinceBytes = socket.bytesRead;
  }

  #forget(request: IncomingMessage): void {
    this.#watched.delete(request);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
