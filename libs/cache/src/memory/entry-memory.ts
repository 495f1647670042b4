import { publishEvict } from '../events/events.js';
import type { Generations } from '../coherence/generations.js';
import type { NamespaceCounters } from '../statistics/counters.js';
import { entryBytes } from './heap-size.js';
import { MemoryTier } from './memory-tier.js';
import type { StoredValue } from './stored-value.js';

/** One entry in memory. */
export interface MemoryEntry {
  readonly stored: StoredValue;
  /** Logical time that was noted before the value was loaded; a tag raised later makes the entry a miss. */
  readonly at: number;
  readonly tagSlots: Uint32Array | undefined;
  /** Times of the cache's clock. Fresh until then. */
  readonly freshUntil: number;
  /** Nobody gets it after that. */
  readonly hardUntil: number;
  /** Until then a hit needs no further thought: neither stale nor near enough to its end for an early refresh. */
  readonly softUntil: number;
  /** Cost of its load, milliseconds. */
  readonly loadMs: number;
  readonly createdAt: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly counters: NamespaceCounters;
}

/** Limits of the entries in memory. */
export interface EntryMemoryOptions {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/** Tier 1: live values of all namespaces in one `MemoryTier`; knows of tags, and counts per namespace. */
export class EntryMemory {
  readonly #entries: MemoryTier<MemoryEntry>;
  #share = 1;
  /** What was kept when memory first ran short: the budget may be more than the process can bear. */
  #keptBytes = Infinity;

  constructor(
    private readonly options: EntryMemoryOptions,
    private readonly generations: Generations,
    now?: () => number,
  ) {
    this.#entries = new MemoryTier({
      maxEntries: options.maxEntries,
      maxBytes: options.maxBytes,
      ...(now === undefined ? {} : { now }),
      onRemove: (address, entry, reason) => {
        entry.counters.entries--;
        entry.counters.bytes -= bytesOf(entry, address);
        if (reason === 'expire') entry.counters.expirations++;
        if (reason !== 'evict') return;
        entry.counters.evictions++;
        const namespaceEnd = address.indexOf(':');
        publishEvict(
          address.slice(0, namespaceEnd),
          address.slice(namespaceEnd + 1),
          bytesOf(entry, address),
        );
      },
    });
  }

  /** Bytes in use, estimated. */
  get bytes(): number {
    return this.#entries.bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Synchronous; does not allocate. */
  get(address: string): MemoryEntry | undefined {
    const entry = this.#entries.get(address);
    if (entry?.tagSlots === undefined || !this.generations.tagsMoved(entry.tagSlots, entry.at)) return entry;
    this.#entries.delete(address);
    return undefined;
  }

  set(address: string, entry: MemoryEntry, ttlMs: number): void {
    const bytes = bytesOf(entry, address);
    if (bytes > this.#entries.maxBytes) {
      this.#entries.delete(address);
      return;
    }
    entry.counters.entries++;
    entry.counters.bytes += bytes;
    this.#entries.set(address, entry, { bytes, ttlMs });
  }

  delete(address: string): void {
    this.#entries.delete(address);
  }

  /** Removes this very entry, and not one that replaced it meanwhile. */
  deleteEntry(address: string, entry: MemoryEntry): void {
    this.#entries.deleteIf(address, entry);
  }

  /** O(entries of all namespaces). */
  clearNamespace(namespace: string): void {
    const prefix = `${namespace}:`;
    this.#entries.deleteWhere((address) => address.startsWith(prefix));
  }

  clear(): void {
    this.#entries.clear();
  }

  /**
   * Keeps no more than this share of what it kept before, 0 (nothing) to 1 (the whole budget). O(entries evicted).
   *
   * @returns bytes that were let go of
   */
  limit(share: number): number {
    const before = this.bytes;
    if (this.#share === 1) this.#keptBytes = before;
    this.#share = share;
    const budget = share === 1 ? this.options.maxBytes : Math.min(this.options.maxBytes, this.#keptBytes);
    // A tier has room for one byte at least.
    this.#entries.resize({ maxBytes: share === 0 ? 1 : Math.max(1, budget * share) });
    return before - this.bytes;
  }

  /** Forgets expired entries now, so that counts are exact; otherwise they leave when touched or pushed out. */
  purgeExpired(): void {
    while (!this.sweep());
  }

  /** Looks at the next 10,000 entries for expired ones; true when it came to the end. For a sweep in steps. */
  sweep(): boolean {
    return this.#entries.sweep();
  }
}

/** A `MemoryEntry`, its `StoredValue` and the numbers in both, bytes of heap. */
const OBJECT_BYTES = 230;
/** A typed array of few elements, without them. */
const TAG_SLOTS_BYTES = 120;

function bytesOf({ stored, tagSlots }: MemoryEntry, address: string): number {
  const tagBytes = tagSlots === undefined ? 0 : TAG_SLOTS_BYTES + tagSlots.byteLength;
  return entryBytes(address) + OBJECT_BYTES + tagBytes + stored.bytes;
}
