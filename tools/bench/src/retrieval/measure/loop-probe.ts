const TICK_MS = 1;

/** Watches how long the event loop is held up by this process's own work, not by other programs that have its processor. */
export class LoopProbe {
  readonly #timer: NodeJS.Timeout;
  #last = now();
  #longest = { wallMs: 0, cpuMs: 0 };
  #blocks = 0;

  /** @param limitMs longer than this is a block */
  constructor(limitMs: number) {
    this.#timer = setInterval(() => {
      const { wallMs, cpuMs } = now();
      const heldMs = Math.min(wallMs - this.#last.wallMs, cpuMs - this.#last.cpuMs);
      this.#last = { wallMs, cpuMs };
      if (heldMs > limitMs) this.#blocks++;
      if (heldMs > this.#longest.cpuMs) this.#longest = { wallMs, cpuMs: heldMs };
    }, TICK_MS);
  }

  /** @returns how many blocks there were, and the longest turn, milliseconds */
  stop(): { blocks: number; longestMs: number } {
    clearInterval(this.#timer);
    return { blocks: this.#blocks, longestMs: this.#longest.cpuMs };
  }
}

/** Between two ticks of which the loop did nothing else, the thread has used as much processor time as it was away. */
function now(): { wallMs: number; cpuMs: number } {
  const { user, system } = process.threadCpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1_000 };
}
