/** What a slow source said last, and what it said now when it did not answer. */
export interface Known<T> {
  readonly value: T;
  /** Null when the value is fresh. */
  readonly problem: string | null;
}

/**
 * A figure that another system is asked for: asked by one caller at a time, not more often than it is worth, and while
 * it does not answer in time the last value stays. The console must show something when everything else is down.
 */
export class LastKnown<T> {
  readonly #read: () => Promise<T>;
  readonly #maxAgeMs: number;
  readonly #waitMs: number;
  #known: Known<T>;
  #readAtMs = -Infinity;
  #reading: Promise<void> | undefined;

  /**
   * @param initial shown before the first answer
   * @param maxAgeMs how old a value may be before it is asked for again
   * @param waitMs how long a caller waits for it
   */
  constructor(
    read: () => Promise<T>,
    initial: T,
    { maxAgeMs, waitMs }: { maxAgeMs: number; waitMs: number },
  ) {
    this.#read = read;
    this.#known = { value: initial, problem: null };
    this.#maxAgeMs = maxAgeMs;
    this.#waitMs = waitMs;
  }

  /** Never rejects. */
  async get(): Promise<Known<T>> {
    if (performance.now() - this.#readAtMs < this.#maxAgeMs) return this.#known;
    this.#reading ??= this.#refresh().finally(() => (this.#reading = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, this.#waitMs, 'late');
    });
    const outcome = await Promise.race([this.#reading, late]);
    clearTimeout(timer);
    if (outcome !== 'late') return this.#known;
    return { ...this.#known, problem: 'It does not answer in time; these are the last known figures.' };
  }

  /** The next caller asks again. */
  expire(): void {
    this.#readAtMs = -Infinity;
  }

  async #refresh(): Promise<void> {
    try {
      this.#known = { value: await this.#read(), problem: null };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
      const problem = `It does not answer${code}; these are the last known figures.`;
      this.#known = { value: this.#known.value, problem };
    }
    this.#readAtMs = performance.now();
  }
}
