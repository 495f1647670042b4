/** What a counter has gained of late, however often it is looked at. */
export class RecentIncrease {
  readonly #windowMs: number;
  readonly #now: () => number;
  /** The oldest first; what came after the oldest is recent. */
  #past: { readonly atMs: number; readonly total: number }[];

  /** The counter starts at 0, as the process does. */
  constructor(windowMs: number, now: () => number = () => performance.now()) {
    this.#windowMs = windowMs;
    this.#now = now;
    this.#past = [{ atMs: now(), total: 0 }];
  }

  /** @param total as counted since the process started */
  look(total: number): number {
    const atMs = this.#now();
    // Many looks at one total are one.
    if (this.#past.at(-1)?.total !== total) this.#past.push({ atMs, total });
    const begin = this.#past.findLastIndex((it) => it.atMs <= atMs - this.#windowMs);
    if (begin > 0) this.#past = this.#past.slice(begin);
    return total - (this.#past[0]?.total ?? 0);
  }
}
