import { CODE_BITS } from '@peregrine/ai/vectors';
import { cutOff } from '../certificate/certificate.js';
import { type CodeRows } from '../codes/code-rows.js';
import { scanCodes } from '../codes/scan-codes.js';
import { type ChunkFilter } from '../search/chunk-filter.js';

/** Of a normal distribution: 95 % are below. */
const UPPER = 1.645;

export interface SampleQuestion {
  readonly code: Uint32Array;
  readonly filter: ChunkFilter;
  readonly limit: number;
  /** Deviations an answer is to be certain by. */
  readonly z: number;
}

/** What a sample says of a query. */
export interface SampleReading {
  /** Share of all chunks that pass the filter, all its conditions together; above 0. */
  readonly selectivity: number;
  /** It is below this with a probability of 95 %; says most when nothing of the sample passes. */
  readonly selectivityAtMost: number;
  /** Chunks of the sample that pass. */
  readonly passing: number;
  /** Hamming distances of the sample to the query: of what passes, and of everything when nothing does. */
  readonly nearest: number;
  readonly tenth: number;
  readonly median: number;
  /** Embeddings that an answer will have to compare. */
  readonly embeddings: number;
}

/** Some chunks of a space, drawn at random: what filters leave of it, and how near it is to a query, without asking PostgreSQL. */
export class CodeSample {
  readonly #everything: Uint32Array;

  constructor(
    /** Of the workspace, when the sample was drawn. */
    readonly version: string,
    /** Chunks in the space. */
    readonly size: number,
    private readonly rows: CodeRows,
  ) {
    this.#everything = Uint32Array.from(rows.ids, (_, place) => place);
  }

  read({ code, filter, limit, z }: SampleQuestion): SampleReading {
    const passes = this.rows.test(filter);
    const places = this.#everything.filter((it) => passes(it));
    const drawn = this.#everything.length;
    const selectivity = (places.length + 0.5) / (drawn + 1);
    const seen = places.length > 0 ? places : this.#everything;
    const { distances } = scanCodes({
      ...{ codes: this.rows.codes, probe: code, places: seen, maxDistance: CODE_BITS, limit: seen.length },
    });
    const at = (share: number) => distances[Math.floor(share * (distances.length - 1))] ?? CODE_BITS;
    const candidates = selectivity * this.size;
    return {
      ...{ selectivity, selectivityAtMost: upperBound(places.length, drawn), passing: places.length },
      ...{ nearest: at(0), tenth: at(0.1), median: at(0.5) },
      embeddings: Math.min(
        candidates,
        Math.max(limit, candidates * shareWithin(distances, limit / candidates, z)),
      ),
    };
  }
}

/** The share of chunks up to the cut-off, when the worst hit is as far as the nearest `share` of them are. */
function shareWithin(distances: Uint16Array, share: number, z: number): number {
  const worst = distances[Math.min(distances.length - 1, Math.floor(share * distances.length))] ?? CODE_BITS;
  const reach = cutOff(Math.cos((Math.PI * worst) / CODE_BITS), z);
  const beyond = distances.findIndex((it) => it > reach);
  return beyond < 0 ? 1 : beyond / distances.length;
}

/** Of a share, by Wilson's score interval (1927, doi.org/10.1080/01621459.1927.10502953), which also holds when none was seen. */
function upperBound(seen: number, drawn: number): number {
  if (drawn === 0) return 1;
  const share = seen / drawn;
  const square = UPPER ** 2 / drawn;
  const bound =
    (share + square / 2 + UPPER * Math.sqrt((share * (1 - share) + square / 4) / drawn)) / (1 + square);
  // Rounding can put it on the wrong side of what was seen.
  return Math.min(1, Math.max(share, bound));
}
