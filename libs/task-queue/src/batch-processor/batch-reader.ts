/** What a batch processor reads from. */
export type BatchSource<T> = Iterable<T> | AsyncIterable<T>;

const LATE = Symbol('late');

/** Takes batches out of a source, and never an item before it is asked for. One read at a time. */
export class BatchReader<T> {
  readonly #sync: Iterator<T> | undefined;
  readonly #async: AsyncIterator<T> | undefined;
  /** Asked for by a batch that went without it. */
  #outstanding: Promise<IteratorResult<T>> | undefined;
  #isExhausted = false;

  /** @param maxWaitMs an asynchronous source that has given something makes no batch wait longer for the rest */
  constructor(
    source: BatchSource<T>,
    private readonly maxWaitMs: number,
  ) {
    if (Symbol.asyncIterator in source) this.#async = source[Symbol.asyncIterator]();
    else this.#sync = source[Symbol.iterator]();
  }

  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** Up to so many items; none at the end of the source. @throws what the source throws */
  async read(size: number): Promise<T[]> {
    try {
      return this.#sync ? this.#readSync(this.#sync, size) : await this.#readAsync(size);
    } catch (error) {
      this.#isExhausted = true;
      throw error;
    }
  }

  /** Tells the source that nothing more will be read. Waits for nothing: the source may never answer. */
  close(): void {
    if (this.#isExhausted) return;
    this.#isExhausted = true;
    this.#sync?.return?.();
    // Its failure to clean up is nobody's result any more.
    this.#outstanding?.catch(() => undefined);
    this.#async?.return?.().catch(() => undefined);
  }

  #readSync(source: Iterator<T>, size: number): T[] {
    const items: T[] = [];
    while (items.length < size) {
      const step = source.next();
      if (step.done) {
        this.#isExhausted = true;
        break;
      }
      items.push(step.value);
    }
    return items;
  }

  async #readAsync(size: number): Promise<T[]> {
    const items: T[] = [];
    const late = Promise.withResolvers<typeof LATE>();
    let timer: NodeJS.Timeout | undefined;
    try {
      while (items.length < size) {
        this.#outstanding ??= this.#next();
        const step = await (timer ? Promise.race([this.#outstanding, late.promise]) : this.#outstanding);
        if (step === LATE) break;
        this.#outstanding = undefined;
        if (step.done) {
          this.#isExhausted = true;
          break;
        }
        items.push(step.value);
        timer ??= setTimeout(() => late.resolve(LATE), this.maxWaitMs);
      }
      return items;
    } finally {
      clearTimeout(timer);
    }
  }

  async #next(): Promise<IteratorResult<T>> {
    return (await this.#async?.next()) ?? { done: true, value: undefined };
  }
}
