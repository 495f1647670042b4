/** Says whether a value has stayed above a limit for a while; one value at or below it starts over. */
export class SustainedLimit {
  #sinceMs: number | undefined;
  #exceeded = false;

  /**
   * @param limit a value above it is a breach
   * @param holdMs how long the breach must last without a pause, milliseconds
   */
  constructor(
    readonly limit: number,
    readonly holdMs: number,
  ) {}

  /** True while the breach has lasted `holdMs` or longer. */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  /** Takes one measurement at the monotonic time `atMs`. */
  sample(value: number, atMs: number): void {
    if (value <= this.limit) {
      this.#sinceMs = undefined;
      this.#exceeded = false;
      return;
    }
    this.#sinceMs ??= atMs;
    this.#exceeded = atMs - this.#sinceMs >= this.holdMs;
  }
}
