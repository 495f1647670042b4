/** How long the stages of a query took, and whether its time is up, or its caller gone. */
export class StageClock {
  readonly stages: { name: string; durationMs: number }[] = [];
  readonly #startMs = performance.now();
  readonly #deadlineMs: number;

  /**
   * @param budgetMs from now on; none when undefined
   * @param signal aborted: nothing more is fetched, and the next stage does not begin
   */
  constructor(
    budgetMs?: number,
    private readonly signal?: AbortSignal,
  ) {
    this.#deadlineMs = this.#startMs + (budgetMs ?? Infinity);
  }

  get isOverdue(): boolean {
    return this.signal?.aborted === true || performance.now() >= this.#deadlineMs;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  time<T>(name: string, work: () => T): T {
    const startMs = performance.now();
    const result = work();
    this.stages.push({ name, durationMs: performance.now() - startMs });
    return result;
  }

  /** @throws the reason of the signal */
  async measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.signal?.throwIfAborted();
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      this.stages.push({ name, durationMs: performance.now() - startMs });
    }
  }
}
