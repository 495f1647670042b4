/** How long the stages of a query took, and whether its time is up. */
export class StageClock {
  readonly stages: { name: string; durationMs: number }[] = [];
  readonly #startMs = performance.now();
  readonly #deadlineMs: number;

  /** @param budgetMs from now on; none when undefined */
  constructor(budgetMs?: number) {
    this.#deadlineMs = this.#startMs + (budgetMs ?? Infinity);
  }

  get isOverdue(): boolean {
    return performance.now() >= this.#deadlineMs;
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

  async measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      this.stages.push({ name, durationMs: performance.now() - startMs });
    }
  }
}
