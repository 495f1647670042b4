import type { Socket } from 'node:net';

/** One direction of one connection: keeps the order of the bytes, whatever is done to them. */
export class ChaosLane {
  readonly #queue: { readonly bytes: Buffer | undefined; readonly dueAt: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastDueAt = 0;
  #held = false;

  constructor(private readonly to: Socket) {}

  /** Bytes that wait here. */
  get waiting(): number {
    return this.#queue.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
  }

  send(bytes: Buffer, delayMs: number): void {
    this.#enqueue(bytes, delayMs);
  }

  /** Closes the far end once everything before has arrived there. */
  end(): void {
    this.#enqueue(undefined, 0);
  }

  hold(): void {
    this.#held = true;
    clearTimeout(this.#timer);
  }

  release(): void {
    this.#held = false;
    this.#pump();
  }

  /** Forgets what waits. */
  stop(): void {
    this.#queue.length = 0;
    clearTimeout(this.#timer);
  }

  #enqueue(bytes: Buffer | undefined, delayMs: number): void {
    // Not before what was sent earlier: a stream has an order.
    this.#lastDueAt = Math.max(this.#lastDueAt, performance.now() + delayMs);
    this.#queue.push({ bytes, dueAt: this.#lastDueAt });
    if (this.#queue.length === 1) this.#pump();
  }

  #pump(): void {
    for (let first = this.#queue[0]; first !== undefined && !this.#held; first = this.#queue[0]) {
      const waitMs = first.dueAt - performance.now();
      if (waitMs > 0) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      this.#queue.shift();
      if (first.bytes === undefined) this.to.end();
      else if (!this.to.destroyed) this.to.write(first.bytes);
    }
  }
}
