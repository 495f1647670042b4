import { type LoadedRows, type ResultStore, type Rows } from './result-store.js';
import { freezeRows, sizeOf } from './row-size.js';

export interface MemoryResultStoreOptions {
  /** @default 32 MiB */
  readonly maxBytes?: number;
  /** @default 10,000 */
  readonly maxEntries?: number;
}

interface Entry {
  readonly rows: Rows;
  readonly tags: readonly string[];
  /** What the clock of invalidations showed when the load began, or when it was found to hold later. */
  asOf: number;
  /** Milliseconds of the monotonic clock. */
  readonly expiresAt: number;
  readonly bytes: number;
  /** Since the entry came, or was spared last. */
  isUsed: boolean;
}

interface Flight {
  readonly asOf: number;
  readonly rows: Promise<Rows>;
}

const MAX_TAGS = 100_000;

/**
 * Results in this process. Who makes place is chosen by second chance (Corbató's CLOCK): the oldest that was not used
 * since it was spared last, so that a hit moves nothing. Every invalidation gets the next number of a clock; a result
 * holds while none of its tags has a higher number than the clock showed when its load began.
 */
export class MemoryResultStore implements ResultStore {
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  /** In the order in which they came or were spared. */
  readonly #entries = new Map<string, Entry>();
  readonly #flights = new Map<string, Flight>();
  /** When a tag was invalidated last, the oldest first. */
  readonly #invalidated = new Map<string, number>();
  #clock = 0;
  /** What is not in the table any more was invalidated at this number at the latest. */
  #floor = 0;
  #bytes = 0;

  constructor({ maxBytes = 33_554_432, maxEntries = 10_000 }: MemoryResultStoreOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#maxEntries = maxEntries;
  }

  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.size, bytes: this.#bytes };
  }

  peek(key: string): Rows | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (!this.#holds(entry.asOf, entry.tags) || entry.expiresAt <= performance.now()) {
      this.#drop(key, entry);
      return undefined;
    }
    // So the tags are looked up only after the next invalidation of whatever it is.
    entry.asOf = this.#clock;
    entry.isUsed = true;
    return entry.rows;
  }

  async getOrLoad(
    key: string,
    tags: readonly string[],
    ttlMs: number,
    load: () => Promise<LoadedRows>,
  ): Promise<{ rows: Rows; isHit: boolean }> {
    const atHand = this.peek(key);
    if (atHand) return { rows: atHand, isHit: true };
    const flight = this.#flights.get(key);
    if (flight && this.#holds(flight.asOf, tags)) return { rows: await flight.rows, isHit: true };
    return { rows: await this.#load(key, tags, ttlMs, load), isHit: false };
  }

  invalidate(tags: readonly string[]): Promise<void> {
    this.#clock++;
    for (const tag of tags) {
      this.#invalidated.delete(tag);
      this.#invalidated.set(tag, this.#clock);
    }
    for (const [tag, at] of this.#invalidated) {
      if (this.#invalidated.size <= MAX_TAGS) break;
      this.#invalidated.delete(tag);
      this.#floor = at;
    }
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.#floor = ++this.#clock;
    this.#invalidated.clear();
    this.#entries.clear();
    this.#bytes = 0;
    return Promise.resolve();
  }

  async #load(
    key: string,
    tags: readonly string[],
    ttlMs: number,
    load: () => Promise<LoadedRows>,
  ): Promise<Rows> {
    const asOf = this.#clock;
    const loading = load();
    const flight: Flight = { asOf, rows: loading.then(({ rows }) => freezeRows(rows)) };
    this.#flights.set(key, flight);
    try {
      const rows = await flight.rows;
      if ((await loading).isStorable && this.#holds(asOf, tags)) this.#keep(key, rows, tags, asOf, ttlMs);
      return rows;
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }

  #keep(key: string, rows: Rows, tags: readonly string[], asOf: number, ttlMs: number): void {
    const bytes = sizeOf(rows, this.#maxBytes) + 2 * key.length;
    if (bytes > this.#maxBytes || this.#maxEntries < 1) return;
    const before = this.#entries.get(key);
    if (before) this.#drop(key, before);
    this.#makePlace(bytes);
    this.#entries.set(key, { rows, tags, asOf, expiresAt: performance.now() + ttlMs, bytes, isUsed: false });
    this.#bytes += bytes;
  }

  /** Ends, since each is spared once: then nobody has been used. */
  #makePlace(bytes: number): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes + bytes <= this.#maxBytes && this.#entries.size < this.#maxEntries) return;
      this.#drop(key, entry);
      if (!entry.isUsed) continue;
      entry.isUsed = false;
      this.#entries.set(key, entry);
      this.#bytes += entry.bytes;
    }
  }

  #drop(key: string, { bytes }: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= bytes;
  }

  #holds(asOf: number, tags: readonly string[]): boolean {
    if (asOf === this.#clock) return true;
    if (asOf < this.#floor) return false;
    for (const tag of tags) if ((this.#invalidated.get(tag) ?? 0) > asOf) return false;
    return true;
  }
}
