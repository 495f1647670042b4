/** Work of the same key comes one after the other; who waits holds nothing. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** @returns what the work gives, or fails with */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const own = before.then(work, work);
    this.#last.set(key, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(key) === own) this.#last.delete(key);
    }
  }
}
