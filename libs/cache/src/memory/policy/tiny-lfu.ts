import { FrequencySketch, MAX_FREQUENCY } from './frequency-sketch.js';
import { FIRST_ID, PROBATION, PROTECTED, SegmentLists, WINDOW } from './segment-lists.js';

/** What a cache may hold. */
export interface Bounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Part of what is not the window that is kept for entries that were hit again. */
const PROTECTED_SHARE = 0.65;
/** Counters are halved after so many requests for each entry, and not more often than the second. */
const AGE_REQUESTS = 10;
const MIN_AGE_REQUESTS = 64;
/** Entries that one miss moves between segments when shares have changed. */
const MOVES = 4;
/** Victims that are looked at for one large candidate; beyond them the rest is taken to be like these. */
const MAX_VICTIMS = 32;

/**
 * W-TinyLFU over numbered entries: a window in order of use, then a segmented LRU into which an entry comes from the
 * window only when it was asked for more often than what it would push out (Einziger et al. 2017; as in Caffeine,
 * https://github.com/ben-manes/caffeine/wiki/Efficiency). Where ours differs: entries in the cache have exact counters
 * and the sketch keeps only those that left; the request that brings an entry does not count for it when it competes,
 * which keeps loops out; a large candidate competes with all the victims that it needs; with a window that is the
 * whole cache it is LRU at once. Every operation is O(1).
 */
export class TinyLfu {
  readonly #lists: SegmentLists;
  #frequencies: Uint8Array;
  /** Request at which an entry was used last. */
  #uses: Int32Array;
  #bounds: Bounds;
  #windowShare = 1;
  #windowEntries = 0;
  #windowBytes = 0;
  #protectedEntries = 0;
  #protectedBytes = 0;
  /** None until `startCounting`. */
  #sketch: FrequencySketch | undefined;
  /** Requests so far, modulo 2^32. */
  #clock = 0;
  /** Request at which counters are halved. */
  #ageAt = 0;

  /** `onEvict` is told of an id that left, once it is out of all lists and can be given to another entry. */
  constructor(
    bounds: Bounds,
    private readonly onEvict: (id: number) => void,
    capacity = 64,
  ) {
    this.#lists = new SegmentLists(capacity);
    this.#frequencies = new Uint8Array(wordAligned(this.#lists.idLimit));
    this.#uses = new Int32Array(this.#lists.idLimit);
    this.#bounds = bounds;
    this.setWindowShare(1);
  }

  get size(): number {
    return this.#lists.size;
  }

  get bytes(): number {
    return this.#lists.bytes;
  }

  get bounds(): Bounds {
    return this.#bounds;
  }

  set bounds(bounds: Bounds) {
    this.#bounds = bounds;
    this.setWindowShare(this.#windowShare);
  }

  /** Bytes of the counters of keys that are not in the cache. */
  get sketchBytes(): number {
    return this.#sketch?.bytes ?? 0;
  }

  /** Ids are below this. */
  get idLimit(): number {
    return this.#lists.idLimit;
  }

  get isOver(): boolean {
    return this.size > this.#bounds.maxEntries || this.bytes > this.#bounds.maxBytes;
  }

  /** Part of the cache that is the window: at 1 the policy is LRU. Entries move as requests come. */
  setWindowShare(share: number): void {
    const { maxEntries } = this.#bounds;
    // Finite, so that a share of nothing is nothing.
    const maxBytes = Math.min(this.#bounds.maxBytes, Number.MAX_VALUE);
    this.#windowShare = share;
    this.#windowEntries = Math.min(maxEntries, Math.max(1, Math.round(share * maxEntries)));
    this.#windowBytes = share * maxBytes;
    this.#protectedEntries = Math.floor((maxEntries - this.#windowEntries) * PROTECTED_SHARE);
    this.#protectedBytes = (maxBytes - this.#windowBytes) * PROTECTED_SHARE;
  }

  hashOf(id: number): number {
    return this.#lists.hashOf(id);
  }

  weightOf(id: number): number {
    return this.#lists.weightOf(id);
  }

  /** Remembers the frequencies of what leaves from now on; before a cache is full there is nothing to choose. */
  startCounting(): void {
    this.#sketch = new FrequencySketch(this.size);
    this.#scheduleAging();
  }

  /** Takes an entry in as the newest. The cache may be over its bounds until `settle`. */
  add(hash: number, weight: number): number {
    // What is larger than the window competes at once and does not empty the window first.
    const id = this.#lists.add(hash, weight, WINDOW, weight > this.#windowBytes);
    if (id >= this.#uses.length) this.#grow();
    const known = this.#sketch?.estimate(hash) ?? 0;
    this.#frequencies[id] = known < MAX_FREQUENCY ? known + 1 : known;
    this.#tick(id);
    return id;
  }

  /** Notes a hit. */
  touch(id: number): void {
    const frequency = this.#frequencies[id]!;
    if (frequency < MAX_FREQUENCY) this.#frequencies[id] = frequency + 1;
    this.#tick(id);
    if (this.#lists.segmentOf(id) !== PROBATION) {
      this.#lists.moveToHead(id);
    } else {
      this.#lists.move(id, PROTECTED);
      this.#boundProtected();
    }
  }

  /** Changes what an entry weighs; the cache may be over its bounds until `settle`. */
  reweigh(id: number, weight: number): void {
    this.#lists.reweigh(id, weight);
  }

  /** Forgets an entry, but not how often it was asked for. The id may be given to another. */
  remove(id: number): void {
    this.#lists.remove(id);
    this.#sketch?.raise(this.#lists.hashOf(id), this.#frequencies[id]!);
  }

  /** Evicts until the bounds are kept. */
  settle(): void {
    while (this.isOver) this.#makeRoom();
    for (let i = 0; i < MOVES && this.#isOverWindow(); i++) {
      this.#lists.move(this.#lists.tail(WINDOW), PROBATION);
    }
    this.#boundProtected();
  }

  /** All ids, each segment from its least to its most recently used. */
  *oldestFirst(): Generator<number, void, undefined> {
    for (const segment of [PROBATION, PROTECTED, WINDOW]) {
      for (let id = this.#lists.tail(segment); id !== segment; id = this.#lists.newer(id)) yield id;
    }
  }

  #makeRoom(): void {
    if (this.#windowShare === 1) return this.#evict(this.#leastRecent());
    const candidate = this.#lists.tail(WINDOW);
    const victim = this.#victim();
    if (victim === undefined) return this.#evict(candidate);
    if (!this.#isOverWindow()) return this.#evict(victim);
    if (!this.#deserves(candidate, victim)) return this.#evict(candidate);
    let next: number | undefined = victim;
    do {
      this.#evict(next);
      next = this.#victim();
    } while (this.isOver && next !== undefined);
    this.#lists.move(candidate, PROBATION);
  }

  /** LRU, also while there still are entries outside the window. */
  #leastRecent(): number {
    let oldest = 0;
    let idle = -1;
    for (let segment = WINDOW; segment <= PROTECTED; segment++) {
      const id = this.#lists.tail(segment);
      if (id < FIRST_ID) continue;
      const unused = (this.#clock - this.#uses[id]!) >>> 0;
      if (unused <= idle) continue;
      idle = unused;
      oldest = id;
    }
    return oldest;
  }

  /** Whether the candidate was hit more often than all those together that have to go for it. */
  #deserves(candidate: number, firstVictim: number): boolean {
    const lists = this.#lists;
    const needed = this.bytes - this.#bounds.maxBytes;
    const hits = this.#frequencies[candidate]! - 1;
    let victim = firstVictim;
    let freed = lists.weightOf(victim);
    let lost = this.#frequencies[victim]!;
    for (let seen = 1; freed < needed && lost < hits; seen++) {
      if (seen === MAX_VICTIMS) return (lost * needed) / freed < hits;
      const newer = lists.newer(victim);
      victim = newer === PROBATION ? lists.tail(PROTECTED) : newer;
      if (victim < FIRST_ID) break;
      freed += lists.weightOf(victim);
      lost += Math.max(0, this.#frequencies[victim]! - 1);
    }
    return lost < hits;
  }

  /** The next to go of those outside the window. */
  #victim(): number | undefined {
    if (this.#lists.count(PROBATION) > 0) return this.#lists.tail(PROBATION);
    return this.#lists.count(PROTECTED) > 0 ? this.#lists.tail(PROTECTED) : undefined;
  }

  #isOverWindow(): boolean {
    return this.#lists.count(WINDOW) > this.#windowEntries || this.#lists.load(WINDOW) > this.#windowBytes;
  }

  #boundProtected(): void {
    const lists = this.#lists;
    for (let i = 0; i < MOVES && lists.count(PROTECTED) > 0; i++) {
      const fits =
        lists.count(PROTECTED) <= this.#protectedEntries && lists.load(PROTECTED) <= this.#protectedBytes;
      if (fits) return;
      lists.move(lists.tail(PROTECTED), PROBATION);
    }
  }

  #evict(id: number): void {
    this.remove(id);
    this.onEvict(id);
  }

  #grow(): void {
    const frequencies = new Uint8Array(wordAligned(this.#lists.idLimit));
    const uses = new Int32Array(this.#lists.idLimit);
    frequencies.set(this.#frequencies);
    uses.set(this.#uses);
    this.#frequencies = frequencies;
    this.#uses = uses;
  }

  #tick(id: number): void {
    const clock = (this.#clock + 1) | 0;
    this.#clock = clock;
    this.#uses[id] = clock;
    if (clock === this.#ageAt && this.#sketch !== undefined) this.#age(this.#sketch);
  }

  /** Halves the counters: old fame fades. The sketch goes in steps, one with each request. */
  #age(sketch: FrequencySketch): void {
    this.#ageAt = (this.#clock + 1) | 0;
    if (!sketch.ageStep()) return;
    const words = new Uint32Array(this.#frequencies.buffer);
    for (let i = 0; i < words.length; i++) words[i] = (words[i]! >>> 1) & 0x7f7f7f7f;
    sketch.ensure(this.size);
    this.#scheduleAging();
  }

  #scheduleAging(): void {
    this.#ageAt = (this.#clock + Math.max(MIN_AGE_REQUESTS, AGE_REQUESTS * this.size)) | 0;
  }
}

const wordAligned = (bytes: number) => (bytes + 3) & ~3;
