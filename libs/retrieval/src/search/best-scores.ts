/** The best `limit` scores so far, in a heap whose first is the least of them: the threshold costs nothing to ask. */
export class BestScores {
  readonly #heap: Float64Array;
  #count = 0;

  constructor(limit: number) {
    this.#heap = new Float64Array(limit);
  }

  /** What a score must exceed to be among the best; -Infinity while there are fewer than the limit. */
  get threshold(): number {
    return this.#count < this.#heap.length ? -Infinity : this.#at(0);
  }

  add(score: number): void {
    if (this.#count < this.#heap.length) this.#rise(this.#count++, score);
    else if (score > this.#at(0)) this.#sink(score);
  }

  /** From an empty place at the end upwards. */
  #rise(place: number, score: number): void {
    for (let parent = (place - 1) >> 1; place > 0 && this.#at(parent) > score; parent = (place - 1) >> 1) {
      this.#heap[place] = this.#at(parent);
      place = parent;
    }
    this.#heap[place] = score;
  }

  /** In the place of the least, downwards. */
  #sink(score: number): void {
    let place = 0;
    for (let child = 1; child < this.#count; child = 2 * place + 1) {
      if (child + 1 < this.#count && this.#at(child + 1) < this.#at(child)) child++;
      if (this.#at(child) >= score) break;
      this.#heap[place] = this.#at(child);
      place = child;
    }
    this.#heap[place] = score;
  }

  #at(place: number): number {
    return this.#heap[place] ?? Infinity;
  }
}
