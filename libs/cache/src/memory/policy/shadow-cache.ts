import { TinyLfu, type Bounds } from './tiny-lfu.js';

/** A small cache of hashes without values, which answers what a policy would have done. */
export class ShadowCache {
  readonly #cache: TinyLfu;
  /** First id of each bucket of hashes, and by id the next of its bucket; 0 is none. */
  readonly #buckets: Int32Array;
  #chain: Int32Array;

  /** @param expectedEntries sizes the tables; more entries make it slower, not wrong. */
  constructor(bounds: Bounds, windowShare: number, expectedEntries: number) {
    this.#cache = new TinyLfu(bounds, (id) => this.#unchain(id), expectedEntries);
    this.#cache.setWindowShare(windowShare);
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(2 * expectedEntries)));
    this.#chain = new Int32Array(this.#cache.idLimit);
  }

  get size(): number {
    return this.#cache.size;
  }

  startCounting(): void {
    this.#cache.startCounting();
  }

  /** One request: true when it was a hit; a miss takes the key in. */
  request(hash: number, weight: number): boolean {
    const cache = this.#cache;
    const id = this.#find(hash);
    if (id !== 0) {
      cache.touch(id);
      if (cache.weightOf(id) !== weight) {
        cache.reweigh(id, weight);
        cache.settle();
      }
      return true;
    }
    if (weight <= cache.bounds.maxBytes) {
      this.#chainUp(hash, cache.add(hash, weight));
      cache.settle();
    }
    return false;
  }

  /** The key was deleted or is expired: no policy would have had it. */
  remove(hash: number): void {
    const id = this.#find(hash);
    if (id === 0) return;
    this.#cache.remove(id);
    this.#unchain(id);
  }

  #find(hash: number): number {
    let id = this.#buckets[this.#bucketOf(hash)]!;
    while (id !== 0 && this.#cache.hashOf(id) !== hash) id = this.#chain[id]!;
    return id;
  }

  #chainUp(hash: number, id: number): void {
    if (id >= this.#chain.length) {
      const chain = new Int32Array(this.#cache.idLimit);
      chain.set(this.#chain);
      this.#chain = chain;
    }
    const bucket = this.#bucketOf(hash);
    this.#chain[id] = this.#buckets[bucket]!;
    this.#buckets[bucket] = id;
  }

  #unchain(id: number): void {
    const bucket = this.#bucketOf(this.#cache.hashOf(id));
    if (this.#buckets[bucket] === id) {
      this.#buckets[bucket] = this.#chain[id]!;
      return;
    }
    let before = this.#buckets[bucket]!;
    while (this.#chain[before] !== id) before = this.#chain[before]!;
    this.#chain[before] = this.#chain[id]!;
  }

  #bucketOf(hash: number): number {
    return hash & (this.#buckets.length - 1);
  }
}
