import { type Exemplar } from '../exposition/page-family.js';

/** More buckets than this have no exemplar: a page with more of them helps nobody. */
const MAX_EXEMPLARS = 10_000;

/** The latest traced observation of each bucket. */
export class Exemplars {
  readonly #byCell = new Map<number, Exemplar>();

  /** @param width cells of a row */
  constructor(private readonly width: number) {}

  /**
   * @param value as it was observed
   * @param traceId of a trace that is kept
   */
  note(row: number, bucket: number, value: number, traceId: string): void {
    const cell = row * this.width + bucket;
    if (this.#byCell.size >= MAX_EXEMPLARS && !this.#byCell.has(cell)) return;
    this.#byCell.set(cell, { labels: { trace_id: traceId }, value, seconds: Date.now() / 1_000 });
  }

  of(row: number, bucket: number): Exemplar | undefined {
    return this.#byCell.get(row * this.width + bucket);
  }
}
