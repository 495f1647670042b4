/** One wait. Without `onLate` it is over. */
export interface Deadline {
  readonly at: number;
  onLate: (() => void) | undefined;
}

/**
 * Deadlines of one length, behind one timer: they end in the order in which they began, so starting and stopping one is an
 * append and an assignment. A timer for each command costs more than the command.
 */
export class Deadlines {
  #queue: Deadline[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param ms length, milliseconds */
  constructor(readonly ms: number) {}

  /** Calls `onLate` once, `ms` from now, unless it is stopped before. */
  start(onLate: () => void): Deadline {
    const deadline: Deadline = { at: performance.now() + this.ms, onLate };
    this.#queue.push(deadline);
    if (this.#timer === undefined) this.#timer = this.#wake(this.ms);
    return deadline;
  }

  /** Whether it was in time. */
  stop(deadline: Deadline): boolean {
    const inTime = deadline.onLate !== undefined;
    deadline.onLate = undefined;
    return inTime;
  }

  #wake(ms: number): NodeJS.Timeout {
    // When the event loop was held up, the answers that lie in the sockets are taken in before anybody is late.
    return setTimeout(() => setImmediate(() => this.#expire()), Math.ceil(ms)).unref();
  }

  #expire(): void {
    const now = performance.now();
    const rest = this.#queue.findIndex((it) => it.onLate !== undefined && it.at > now);
    const ended = rest === -1 ? this.#queue : this.#queue.splice(0, rest);
    if (rest === -1) this.#queue = [];
    const [next] = this.#queue;
    this.#timer = next && this.#wake(next.at - now);
    for (const deadline of ended) {
      const { onLate } = deadline;
      deadline.onLate = undefined;
      onLate?.();
    }
  }
}
