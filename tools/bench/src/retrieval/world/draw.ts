/** A number of the normal distribution, by Box and Muller. */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Draws places by weight: the sums up to each place, once, and a search by halves at each draw. */
export class Lottery {
  readonly #sums: Float64Array;

  constructor(weights: ArrayLike<number>) {
    this.#sums = new Float64Array(weights.length);
    let sum = 0;
    for (let at = 0; at < weights.length; at++) this.#sums[at] = sum += weights[at] ?? 0;
  }

  /** Ranks of which each is drawn as often as `(rank + 1) ** -exponent` says. */
  static zipf(count: number, exponent: number): Lottery {
    return new Lottery(Float64Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent));
  }

  draw(random: () => number): number {
    const sums = this.#sums;
    const point = random() * (sums[sums.length - 1] ?? 0);
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** One of the items, each as often as any other. */
export function pick<T>(items: ArrayLike<T>, random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('There is nothing to pick from');
  return item;
}
