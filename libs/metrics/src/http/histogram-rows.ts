import { type Labels, type PageLine } from '../exposition/page-family.js';
import { type Exemplars } from './exemplars.js';

/**
 * Histograms of one kind in one flat array, found by number. A row is a count for each bucket, one above the last bound,
 * and the sum. The array doubles when a row beyond its end is written; rows are never given back.
 */
export class HistogramRows {
  readonly #bounds: readonly number[];
  readonly #boundTexts: readonly string[];
  readonly #width: number;
  #cells: Float64Array;

  /** @param bounds upper bounds of the buckets, ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#boundTexts = bounds.map(String);
    this.#width = bounds.length + 2;
    this.#cells = new Float64Array(16 * this.#width);
  }

  /** Memory that the rows take, bytes. */
  get bytes(): number {
    return this.#cells.byteLength;
  }

  /** Buckets of a row, the one above the last bound included. */
  get buckets(): number {
    return this.#bounds.length + 1;
  }

  /** O(bounds); allocates only when the array grows. @returns the bucket that it went to */
  observe(row: number, value: number): number {
    const offset = row * this.#width;
    if (offset >= this.#cells.length) this.#grow(offset);
    const cells = this.#cells;
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    cells[offset + bucket] = (cells[offset + bucket] as number) + 1;
    const sum = offset + this.#width - 1;
    cells[sum] = (cells[sum] as number) + value;
    return bucket;
  }

  count(row: number): number {
    let count = 0;
    for (let i = 0; i <= this.#bounds.length; i++) count += this.bucket(row, i);
    return count;
  }

  /** Count of one bucket alone, not cumulative; the last one is above the highest bound. */
  bucket(row: number, index: number): number {
    return this.#cells[row * this.#width + index] ?? 0;
  }

  /** A row as Prometheus wants it: cumulative buckets, sum and count; undefined while it is empty. */
  lines(row: number, labels: Labels, exemplars?: Exemplars): PageLine[] | undefined {
    const count = this.count(row);
    if (count === 0) return undefined;
    let cumulative = 0;
    const lines: PageLine[] = this.#boundTexts.map((le, i) => {
      cumulative += this.bucket(row, i);
      return { suffix: '_bucket', labels, le, value: cumulative, exemplar: exemplars?.of(row, i) };
    });
    const sum = this.#cells[row * this.#width + this.#width - 1] as number;
    const highest = exemplars?.of(row, this.#bounds.length);
    lines.push({ suffix: '_bucket', labels, le: '+Inf', value: count, exemplar: highest });
    lines.push({ suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: count });
    return lines;
  }

  #grow(offset: number): void {
    let length = this.#cells.length;
    while (length <= offset) length *= 2;
    const grown = new Float64Array(length);
    grown.set(this.#cells);
    this.#cells = grown;
  }
}
