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

/** One order of codes, fetched from its near end without gaps: how far it has come is what an answer's certificate rests on. */
export class CodeLeg {
  #last: Candidate | undefined;
  #isExhausted = false;

  constructor(readonly options: CodeLegOptions) {}

  /** Whether there is nothing left to fetch. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** Every code of up to this distance was fetched; of the last one's distance there may be more. */
  get reach(): number {
    if (!this.#last) return -1;
    return this.#last.chunkId === LAST_ID ? this.#last.distance : this.#last.distance - 1;
  }

  /** Says that everything up to a candidate was fetched by other means. */
  advance(last: Candidate): void {
    this.#last = last;
  }

  /** How far it must reach for an answer whose worst score is `threshold`. */
  wanted(threshold: number, z: number): number {
    return cutOff(threshold - this.options.bonus, z);
  }

  /** By how many deviations a better chunk of this leg would have to stray to be missed. */
  certainty(threshold: number): number {
    return this.#isExhausted ? Infinity : certaintyOf(this.reach, threshold - this.options.bonus);
  }

  /** The next codes, up to a distance. */
  async fetch(source: CodeSource, maxDistance: number, limit: number): Promise<string[]> {
    const { filter, only } = this.options;
    const found = await source.nearest({ filter, only, maxDistance, after: this.#last, limit });
    const isLastPage = found.length < limit;
    if (isLastPage && maxDistance >= CODE_BITS) this.#isExhausted = true;
    this.#last = isLastPage ? { chunkId: LAST_ID, distance: maxDistance } : found.at(-1);
    return found.map((it) => it.chunkId);
  }
}
