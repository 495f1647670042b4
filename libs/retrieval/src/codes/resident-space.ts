import { LRUCache } from 'lru-cache';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ChunkFilter, isUnfiltered } from '../search/chunk-filter.js';
import { type Candidate, type CodeRequest } from './code-source.js';
import { type CodeRows } from './code-rows.js';
import { type CodeThread } from './code-thread.js';
import { scanCodes } from './scan-codes.js';

/** What passes a filter is kept for so many filters of a space. */
const KEPT_FILTERS = 64;
/** Up to as many codes are compared sooner than a thread is asked. */
const FEW_PLACES = 2_000;
/** Places that are looked at without letting others have a turn. */
const SLICE = 50_000;

/** The codes of a space in memory, as they were at a version of its workspace. */
export class ResidentSpace {
  /** Places that pass, by filter: good as long as the codes are, since they were read together. */
  readonly #passing = new LRUCache<string, Uint32Array>({ max: KEPT_FILTERS });

  constructor(
    readonly version: string,
    private readonly rows: CodeRows,
    private readonly thread: CodeThread,
  ) {}

  get size(): number {
    return this.rows.ids.length;
  }

  get sizeBytes(): number {
    return this.rows.codes.byteLength;
  }

  /** How many chunks pass a filter; undefined when that is not known yet. */
  knownPassing(filter: ChunkFilter): number | undefined {
    return isUnfiltered(filter) ? this.size : this.#passing.peek(keyOf(filter))?.length;
  }

  /** @throws {CodeThreadLostError} */
  async nearest(
    probe: Uint32Array,
    { filter, only, maxDistance, after, limit }: CodeRequest,
  ): Promise<Candidate[]> {
    const { ids, codes } = this.rows;
    const wanted = only ? this.#placesOf(only, filter) : await this.#passingPlaces(filter);
    const scan = {
      ...{ codes, probe, places: wanted, maxDistance, limit },
      after: after && { distance: after.distance, place: this.#lastPlaceUpTo(after.chunkId) },
    };
    const isFew = (wanted?.length ?? this.size) <= FEW_PLACES;
    const { places, distances } = isFew ? scanCodes(scan) : await this.thread.scan(scan);
    return Array.from(places, (place, at) => ({ chunkId: ids[place] ?? '', distance: distances[at] ?? 0 }));
  }

  /** Undefined when all pass. */
  async #passingPlaces(filter: ChunkFilter): Promise<Uint32Array | undefined> {
    if (isUnfiltered(filter)) return undefined;
    const key = keyOf(filter);
    const known = this.#passing.get(key);
    if (known) return known;
    const passes = this.rows.test(filter);
    const found: number[] = [];
    for (let place = 0; place < this.size; place++) {
      if (place > 0 && place % SLICE === 0) await nextTurn();
      if (passes(place)) found.push(place);
    }
    // Shared: sent to the thread for every scan.
    const places = new Uint32Array(new SharedArrayBuffer(found.length * 4));
    places.set(found);
    this.#passing.set(key, places);
    return places;
  }

  #placesOf(chunkIds: readonly string[], filter: ChunkFilter): Uint32Array {
    const passes = this.rows.test(filter);
    const places = chunkIds.flatMap((id) => {
      const place = this.#lastPlaceUpTo(id);
      return this.rows.ids[place] === id && passes(place) ? [place] : [];
    });
    return Uint32Array.from(places).sort();
  }

  /** The last place whose id is not after `id`, -1 when there is none. */
  #lastPlaceUpTo(id: string): number {
    const { ids } = this.rows;
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] ?? '') <= id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function keyOf(filter: ChunkFilter): string {
  return JSON.stringify(Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1)));
}
