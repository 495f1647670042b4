import { setTimeout as delay } from 'node:timers/promises';

const FIRST_MS = 10;
const MAX_MS = 500;

/** Matters that make every result doubtful for as long as they are open. */
export class Doubts {
  readonly #closing = new AbortController();
  #open = 0;

  get isEmpty(): boolean {
    return this.#open === 0;
  }

  /** @param settle asked again and again until it answers true; a rejection is another no */
  add(settle: () => Promise<boolean>): void {
    this.#open++;
    void this.#settle(settle);
  }

  /** Those that are open stay open. */
  close(): void {
    this.#closing.abort();
  }

  async #settle(settle: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#closing;
    for (let ms = FIRST_MS; !signal.aborted; ms = Math.min(2 * ms, MAX_MS)) {
      if (await settle().catch(() => false)) {
        this.#open--;
        return;
      }
      await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
