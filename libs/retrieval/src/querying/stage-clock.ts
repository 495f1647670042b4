/** How long the stages of a query took, and whether its time is up. */
export class StageClock {
  readonly stages: { name: string; durationMs: number }[] = [];
  readonly #deadlineMs: number;

  /** @param budgetMs from now on; none when undefined */
  constructor(budgetMs?: number) {
    this.#deadlineMs = performance.now() + (budgetMs ?? Infinity);
  }

  get isOverdue(): boolean {
    return performance.now() >= this.#deadlineMs;
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
