import { mix } from './key-hash.js';

/** Where counting stops: enough to tell hot from warm, and few enough halvings to forget. */
export const MAX_FREQUENCY = 15;

const ROWS = 4;
/** Counters for each entry of the cache; fewer, and keys of a long loop look hotter than they are. */
const COUNTERS_PER_ENTRY = 16;
const MIN_COUNTERS = 1_024;
/** Words that one `ageStep` halves, so that no caller waits long even when there are millions. */
const STEP_WORDS = 16_384;

/**
 * How often keys were asked for that are in the cache no more: a count-min sketch of small counters that are halved
 * from time to time (TinyLFU, Einziger, Friedman and Manes 2017, https://dl.acm.org/doi/10.1145/3149371). Ours is
 * written when a key leaves and read when it comes back; entries in the cache are counted exactly, beside the entry.
 */
export class FrequencySketch {
  #counters: Uint8Array;
  #words: Uint32Array;
  #mask: number;
  #aged = 0;

  constructor(entries: number) {
    this.#counters = new Uint8Array(countersFor(entries));
    this.#words = new Uint32Array(this.#counters.buffer);
    this.#mask = this.#counters.length - 1;
  }

  /** Bytes that the counters take. */
  get bytes(): number {
    return this.#counters.length;
  }

  /** Never less than what `raise` was told since the last halving. */
  estimate(hash: number): number {
    const step = stepOf(hash);
    let least = MAX_FREQUENCY;
    for (let row = 0, at = hash; row < ROWS; row++, at = (at + step) | 0) {
      const count = this.#counters[at & this.#mask]!;
      if (count < least) least = count;
    }
    return least;
  }

  raise(hash: number, frequency: number): void {
    const step = stepOf(hash);
    for (let row = 0, at = hash; row < ROWS; row++, at = (at + step) | 0) {
      const index = at & this.#mask;
      if (this.#counters[index]! < frequency) this.#counters[index] = frequency;
    }
  }

  /** Makes room for a cache that grew. What is known stays: a counter serves all keys that fell on it before. */
  ensure(entries: number): void {
    const length = countersFor(entries);
    if (length <= this.#counters.length) return;
    const grown = new Uint8Array(length);
    for (let at = 0; at < length; at += this.#counters.length) grown.set(this.#counters, at);
    this.#counters = grown;
    this.#words = new Uint32Array(grown.buffer);
    this.#mask = length - 1;
    this.#aged = 0;
  }

  /** Halves the next counters; true when this was the last part of the table. */
  ageStep(): boolean {
    const words = this.#words;
    const end = Math.min(words.length, this.#aged + STEP_WORDS);
    for (let i = this.#aged; i < end; i++) words[i] = (words[i]! >>> 1) & 0x7f7f7f7f;
    this.#aged = end < words.length ? end : 0;
    return this.#aged === 0;
  }
}

const stepOf = (hash: number) => mix(hash + 0x9e3779b9) | 1;

const countersFor = (entries: number) =>
  Math.max(MIN_COUNTERS, 2 ** Math.ceil(Math.log2(entries * COUNTERS_PER_ENTRY)));
