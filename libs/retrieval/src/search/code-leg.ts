import { CODE_BITS } from '@peregrine/ai/vectors';
import { certaintyOf, cutOff } from '../certificate/certificate.js';
import { type Candidate, type CodeSource } from '../codes/code-source.js';
import { type ChunkFilter } from './chunk-filter.js';

export interface CodeLegOptions {
  readonly filter: ChunkFilter;
  /** Only these chunks; all when undefined. */
  readonly only?: readonly string[] | undefined;
  /** The most that a chunk of this leg has beyond its cosine. */
  readonly bonus: number;
}

/** After any id: everything of a distance was fetched. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Codes a fetch. A code is compared once for each fetch and costs little to send, an embedding costs much: many codes come at once,
 * and of their embeddings only as many as the threshold still asks for.
 */
const PAGE = 1_000;

/** One order of codes, taken from its near end without gaps: how far it has come is what an answer's certificate rests on. */
export class CodeLeg {
  /** Up to where codes were fetched. */
  #last: Candidate | undefined;
  #isLastFetched = false;
  /** Fetched and not taken, nearest first. */
  #waiting: Candidate[] = [];

  constructor(readonly options: CodeLegOptions) {}

  /** Whether there is nothing left to take. */
  get isExhausted(): boolean {
    return this.#isLastFetched && this.#waiting.length === 0;
  }

  /** Every code of up to this distance was taken; of the last one's distance there may be more. */
  get reach(): number {
    const next = this.#waiting[0];
    if (next) return next.distance - 1;
    if (!this.#last) return -1;
    return this.#last.chunkId === LAST_ID ? this.#last.distance : this.#last.distance - 1;
  }

  /** Says that everything up to a candidate was taken by other means. */
  advance(last: Candidate): void {
    this.#last = last;
  }

  /** Says that everything was taken by other means. */
  exhaust(): void {
    this.#isLastFetched = true;
    this.#waiting = [];
  }

  /** How far it must reach for an answer whose worst score is `threshold`. */
  wanted(threshold: number, z: number): number {
    return cutOff(threshold - this.options.bonus, z);
  }

  /** By how many deviations a better chunk of this leg would have to stray to be missed. */
  certainty(threshold: number): number {
    return this.isExhausted ? Infinity : certaintyOf(this.reach, threshold - this.options.bonus);
  }

  /** The next codes of up to a distance, at most `count`. */
  async take(source: CodeSource, maxDistance: number, count: number): Promise<string[]> {
    if (this.#waiting.length === 0 && !this.#isLastFetched) await this.#fetch(source, maxDistance);
    const end = this.#waiting.findIndex((it, at) => at >= count || it.distance > maxDistance);
    const taken = this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
    return taken.map((it) => it.chunkId);
  }

  async #fetch(source: CodeSource, maxDistance: number): Promise<void> {
    const { filter, only } = this.options;
    const found = await source.nearest({ filter, only, maxDistance, after: this.#last, limit: PAGE });
    const isLastPage = found.length < PAGE;
    if (isLastPage && maxDistance >= CODE_BITS) this.#isLastFetched = true;
    this.#last = isLastPage ? { chunkId: LAST_ID, distance: maxDistance } : found.at(-1);
    this.#waiting = found;
  }
}
