/** One file. About 230 bytes of memory with its key in the map. */
export interface IndexEntry {
  /** Room on the disk, in whole blocks. */
  bytes: number;
  /** Last use, milliseconds since 1970; on the disk at most a minute older. */
  usedAt: number;
  /** When the last use was written to the disk. */
  touchedAt: number;
  expiresAt: number;
  readonly kept: boolean;
  /** The scan that saw it last, or during which it was used. */
  round: number;
}

/** What a scan finds of a file. */
export type ScannedFile = Pick<IndexEntry, 'bytes' | 'usedAt' | 'expiresAt' | 'kept'>;

/** Files have no smaller unit on the usual file systems. */
const BLOCK_BYTES = 4_096;

/** Room that a file of this size takes, bytes. */
export const roomOf = (fileBytes: number): number => Math.ceil(fileBytes / BLOCK_BYTES) * BLOCK_BYTES;

/**
 * What this process knows of the folder: no I/O here. The map is in the order of use, the longest unused first, so that
 * choosing victims needs no sorting. Other processes change the folder too; a scan sets the index right.
 */
export class FolderIndex {
  #entries = new Map<string, IndexEntry>();
  #bytes = 0;
  #keptEntries = 0;
  #round = 0;
  #outOfOrder = false;

  get bytes(): number {
    return this.#bytes;
  }

  get entries(): number {
    return this.#entries.size;
  }

  /** Entries that may be evicted. */
  get evictable(): number {
    return this.#entries.size - this.#keptEntries;
  }

  get(id: string): IndexEntry | undefined {
    return this.#entries.get(id);
  }

  /** A file was written, or found by a read: it is the one used last. */
  put(id: string, file: ScannedFile): IndexEntry {
    const touchedAt = this.#entries.get(id)?.touchedAt ?? file.usedAt;
    this.delete(id);
    return this.#add(id, { ...file, touchedAt, round: this.#round });
  }

  use(id: string, entry: IndexEntry, now: number): void {
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.usedAt = now;
    entry.round = this.#round;
  }

  delete(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
    if (entry.kept) this.#keptEntries--;
  }

  beginScan(): void {
    this.#round++;
  }

  /** A file that the scan has found. */
  seen(id: string, file: ScannedFile): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.#outOfOrder = true;
      this.#add(id, { ...file, touchedAt: file.usedAt, round: this.#round });
      return;
    }
    // Written or read here since the scan began: what the scan has seen may be older.
    if (entry.round === this.#round) return;
    this.#bytes += file.bytes - entry.bytes;
    entry.bytes = file.bytes;
    entry.expiresAt = file.expiresAt;
    entry.round = this.#round;
  }

  /** Forgets what the scan did not find, and puts what it found into its place in the order. */
  endScan(): void {
    for (const [id, { round }] of this.#entries) if (round !== this.#round) this.delete(id);
    if (!this.#outOfOrder) return;
    this.#outOfOrder = false;
    this.#entries = new Map([...this.#entries].sort(([, a], [, b]) => a.usedAt - b.usedAt));
  }

  /**
   * Takes out what has expired; what must be kept comes last: a generation outlives the entries that depend on it.
   */
  takeExpired(now: number): [string, IndexEntry][] {
    const expired = [...this.#entries].filter(([, { expiresAt }]) => expiresAt <= now);
    for (const [id] of expired) this.delete(id);
    return expired.sort(([, a], [, b]) => Number(a.kept) - Number(b.kept));
  }

  /** Takes out the longest unused until so much is gone. */
  takeVictims(bytes: number, entries: number): [string, IndexEntry][] {
    const victims: [string, IndexEntry][] = [];
    let freed = 0;
    for (const [id, entry] of this.#entries) {
      if (freed >= bytes && victims.length >= entries) break;
      if (entry.kept) continue;
      freed += entry.bytes;
      victims.push([id, entry]);
    }
    for (const [id] of victims) this.delete(id);
    return victims;
  }

  #add(id: string, entry: IndexEntry): IndexEntry {
    this.#entries.set(id, entry);
    this.#bytes += entry.bytes;
    if (entry.kept) this.#keptEntries++;
    return entry;
  }
}
