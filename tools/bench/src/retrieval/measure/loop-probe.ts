const TICK_MS = 1;

/** Watches how long the event loop is held up by this process's own work, not by other programs that have its processor. */
export class LoopProbe {
  readonly #timer: NodeJS.Timeout;
  #last = now();
  #longestMs = 0;

  constructor() {
    this.#timer = setInterval(() => {
      const { wallMs, cpuMs } = now();
      // A thread that did nothing else was away for as long as it used its processor.
      const heldMs = Math.min(wallMs - this.#last.wallMs, cpuMs - this.#last.cpuMs);
      this.#last = { wallMs, cpuMs };
      this.#longestMs = Math.max(this.#longestMs, heldMs);
    }, TICK_MS);
  }

  /** @returns the longest time between two turns of the loop, milliseconds */
  stop(): number {
    clearInterval(this.#timer);
    return this.#longestMs;
  }
}

function now(): { wallMs: number; cpuMs: number } {
  const { user, system } = process.threadCpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1_000 };
}
