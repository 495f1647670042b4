/** Shares one opening among all callers, and forgets it when it fails. */
export class SingleFlight<T> {
  #opening: Promise<T> | undefined;

  get(open: () => Promise<T>): Promise<T> {
    if (!this.#opening) {
      const opening = open();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  /** What is open or opening. */
  get current(): Promise<T> | undefined {
    return this.#opening;
  }

  clear(): void {
    this.#opening = undefined;
  }
}
