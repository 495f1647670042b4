import { TinyLfu, type Bounds } from './tiny-lfu.js';
import { WindowChooser } from './window-chooser.js';

/** The cache became so much larger or smaller than its shadows were made for that new ones are due. */
const MISFIT = 2;

/**
 * What to keep: W-TinyLFU with the window that fits the load. Until the cache is full for the first time it keeps no
 * more than the order of use; shadows and sketch start with the first eviction. Every operation is O(1).
 */
export class AdaptivePolicy {
  readonly #cache: TinyLfu;
  #chooser: WindowChooser | undefined;

  constructor(bounds: Bounds, onEvict: (id: number) => void) {
    this.#cache = new TinyLfu(bounds, onEvict);
  }

  get size(): number {
    return this.#cache.size;
  }

  get bytes(): number {
    return this.#cache.bytes;
  }

  get bounds(): Bounds {
    return this.#cache.bounds;
  }

  /** Ids are below this; grows with the entries. */
  get idLimit(): number {
    return this.#cache.idLimit;
  }

  /** What is kept beside the entries, for tests of its bound. */
  get sideTables() {
    return { sketchBytes: this.#cache.sketchBytes, shadowEntries: this.#chooser?.shadowEntries ?? 0 };
  }

  weightOf(id: number): number {
    return this.#cache.weightOf(id);
  }

  /** A place for a new entry. The caller fills it and calls `settle`, which may evict this very entry. */
  add(hash: number, weight: number): number {
    const id = this.#cache.add(hash, weight);
    if (this.#chooser?.samples(hash) === true) this.#request(hash, weight, false);
    return id;
  }

  hit(id: number): void {
    const cache = this.#cache;
    cache.touch(id);
    const chooser = this.#chooser;
    if (chooser === undefined) return;
    const hash = cache.hashOf(id);
    if (chooser.samples(hash)) this.#request(hash, cache.weightOf(id), true);
  }

  /** The entry has a new value. The caller calls `settle`. */
  replace(id: number, weight: number): void {
    const hash = this.#cache.hashOf(id);
    this.#cache.touch(id);
    this.#cache.reweigh(id, weight);
    if (this.#chooser?.samples(hash) === true) this.#chooser.replace(hash, weight);
  }

  remove(id: number): void {
    const hash = this.#cache.hashOf(id);
    this.#cache.remove(id);
    if (this.#chooser?.samples(hash) === true) this.#chooser.remove(hash);
  }

  /** Evicts until the bounds are kept. */
  settle(): void {
    if (this.#chooser === undefined && this.#cache.isOver) this.#startChoosing();
    this.#cache.settle();
  }

  resize(bounds: Bounds): void {
    this.#cache.bounds = bounds;
    this.settle();
    if (this.#chooser !== undefined) this.#startChoosing();
  }

  #startChoosing(): void {
    const cache = this.#cache;
    if (this.#chooser === undefined) cache.startCounting();
    const chooser = new WindowChooser(cache, this.#chooser?.chosen);
    cache.setWindowShare(chooser.windowShare);
    this.#chooser = chooser;
  }

  #request(hash: number, weight: number, wasHit: boolean): void {
    const chooser = this.#chooser!;
    if (!chooser.request(hash, weight, wasHit)) return;
    this.#cache.setWindowShare(chooser.windowShare);
    const ratio = this.#cache.size / chooser.expectedEntries;
    if (ratio > MISFIT || ratio < 1 / MISFIT) this.#startChoosing();
  }
}
