import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ObjectStoreFullError, ObjectTooLargeError } from '../../cache.errors.js';
import { eachLimited } from '../each-limited.js';
import { isGone } from './folder-files.js';
import { FolderIndex, roomOf, type IndexEntry } from './folder-index.js';
import type { FileAddress, FolderLayout } from './folder-layout.js';
import type { ParsedFolderStoreOptions } from './folder-store.options.js';

/** Age from which an unfinished file is taken for the rest of a crash, ms. Writing renews the age. */
const TEMPORARY_MAX_AGE_MS = 15 * 60_000;
/** Stands for "does not expire" in the modification time of a file, which can not be infinite. */
const NEVER_MS = Date.UTC(2100, 0, 1);
/** The last use of a file is written to the disk at most this often, ms. */
const TOUCH_INTERVAL_MS = 60_000;
/** So much of the bound is made free at once, and is written here before the folder is looked through again. */
const SLACK = 1 / 16;
/** One object may take this much of the bound: it must not drive out all the others. */
const LARGEST_SHARE = 1 / 4;
const PARALLEL = 16;

/** Access and modification time of a file, in seconds: its last use and its expiry, so that a scan opens no file. */
export const timesOf = (usedAt: number, expiresAt: number): [number, number] => [
  usedAt / 1_000,
  Math.min(expiresAt, NEVER_MS) / 1_000,
];

/**
 * Keeps the folder below its bounds. What is being written counts as soon as it is reserved, so within one process the
 * bounds hold at every moment. Files of other processes count from the next scan on; a scan runs at the start, every
 * `sweepIntervalMs`, and whenever a sixteenth of the bound was written here; who has written another one before it ends
 * waits for it. So P processes on one folder may together exceed it by some P sixteenths.
 */
export class FolderRoom {
  readonly #index = new FolderIndex();
  /** Bytes of the files that are being written here, by name. */
  readonly #writing = new Map<string, number>();
  #reserved = 0;
  /** Of unfinished files of other processes, bytes. */
  #foreign = 0;
  #writtenSinceScan = 0;
  #trimming: Promise<void> | undefined;
  #sweeping: Promise<void> | undefined;
  readonly #background = new Set<Promise<void>>();
  #closed = false;
  #evictions = 0;
  #errors = 0;

  constructor(
    private readonly layout: FolderLayout,
    private readonly options: ParsedFolderStoreOptions,
    private readonly now: () => number,
  ) {}

  stats() {
    const { entries, bytes } = this.#index;
    return {
      entries,
      bytes: bytes + this.#reserved,
      maxBytes: this.options.maxBytes,
      evictions: this.#evictions,
      errors: this.#errors,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#background);
  }

  /**
   * Takes room for more of a file that is being written; evicts when there is too little.
   * @throws {ObjectTooLargeError} @throws {ObjectStoreFullError}
   */
  async reserve(name: string, bytes: number): Promise<void> {
    const all = (this.#writing.get(name) ?? 0) + bytes;
    const limit = this.options.maxBytes * LARGEST_SHARE;
    if (all > limit) throw new ObjectTooLargeError('object', limit);
    this.#writing.set(name, all);
    this.#reserved += bytes;
    // Who writes faster than the folder can be looked through waits, lest the others' files be known too late.
    while (this.#sweeping !== undefined && this.#isAhead()) await this.#settledSweep();
    // Also waits for victims that are on their way: their room is not free before they are gone.
    while (this.#isOver() || this.#trimming !== undefined) await this.#trim();
  }

  /** Gives back what was reserved. @returns how much, bytes */
  release(name: string): number {
    const bytes = this.#writing.get(name) ?? 0;
    this.#reserved -= bytes;
    this.#writing.delete(name);
    return bytes;
  }

  /** A file has taken its place. */
  stored(address: FileAddress, name: string, fileBytes: number, expiresAt: number): void {
    this.release(name);
    const bytes = roomOf(fileBytes);
    this.#index.put(address.id, { bytes, usedAt: this.now(), expiresAt, kept: address.kept });
    this.#writtenSinceScan += bytes;
    if (this.#isAhead() && this.#sweeping === undefined) this.inBackground(this.sweep());
  }

  /** A file was read. Answers whether its last use should be written to the disk now. */
  used(address: FileAddress, fileBytes: number, expiresAt: number): boolean {
    const now = this.now();
    const { id, kept } = address;
    const known = this.#index.get(id);
    const entry = known ?? this.#index.put(id, { bytes: roomOf(fileBytes), usedAt: now, expiresAt, kept });
    this.#index.use(id, entry, now);
    if (known !== undefined && now - entry.touchedAt < TOUCH_INTERVAL_MS) return false;
    entry.touchedAt = now;
    return true;
  }

  forget({ id }: FileAddress): void {
    this.#index.delete(id);
  }

  async remove(address: FileAddress): Promise<void> {
    this.forget(address);
    await rm(this.layout.path(address), { force: true });
  }

  /** The disk is fuller than the bound says: gives up a part of what is here. */
  async makeRoom(bytes: number): Promise<void> {
    await this.#evict(this.#index.takeVictims(Math.max(2 * bytes, this.#index.bytes * SLACK), 0));
  }

  /** Looks the folder through: learns what others did, removes what has expired and what crashes left. */
  sweep(): Promise<void> {
    return (this.#sweeping ??= this.#sweep().finally(() => (this.#sweeping = undefined)));
  }

  /** Work that nobody waits for; `close` does. */
  inBackground(work: Promise<void>): void {
    const one = work.catch(() => void this.#errors++).finally(() => this.#background.delete(one));
    this.#background.add(one);
  }

  get #bytes(): number {
    return this.#index.bytes + this.#reserved + this.#foreign;
  }

  get #files(): number {
    return this.#index.evictable + this.#writing.size;
  }

  #isOver(): boolean {
    return this.#bytes > this.options.maxBytes || this.#files > this.options.maxEntries;
  }

  /** Its failure is told to who has begun it. */
  #settledSweep(): Promise<unknown> {
    return Promise.allSettled([this.#sweeping]);
  }

  #isAhead(): boolean {
    return this.#writtenSinceScan > this.options.maxBytes * SLACK;
  }

  #trim(): Promise<void> {
    return (this.#trimming ??= this.#freeSlack().finally(() => (this.#trimming = undefined)));
  }

  async #freeSlack(): Promise<void> {
    const { maxBytes, maxEntries } = this.options;
    const bytes = this.#bytes > maxBytes ? this.#bytes - maxBytes * (1 - SLACK) : 0;
    const files = this.#files > maxEntries ? this.#files - Math.floor(maxEntries * (1 - SLACK)) : 0;
    const victims = this.#index.takeVictims(bytes, files);
    if (victims.length === 0) throw new ObjectStoreFullError('nothing is left that could be evicted');
    await this.#evict(victims);
  }

  async #evict(victims: readonly [string, IndexEntry][]): Promise<void> {
    this.#evictions += victims.length;
    await eachLimited(victims, PARALLEL, ([id, { kept }]) => this.remove({ id, kept }));
  }

  async #sweep(): Promise<void> {
    this.#writtenSinceScan = 0;
    this.#index.beginScan();
    for (const kept of [false, true]) {
      await eachLimited(this.layout.files(kept), PARALLEL, (address) => this.#look(address));
    }
    await this.#lookAtTemporary();
    if (this.#closed) return;
    this.#index.endScan();
    const expired = this.#index.takeExpired(this.now());
    for (const wanted of [false, true]) {
      const part = expired.filter(([, { kept }]) => kept === wanted);
      await eachLimited(part, PARALLEL, ([id, { kept }]) => this.remove({ id, kept }));
    }
    if (this.#isOver()) await this.#trim();
  }

  async #look(address: FileAddress): Promise<void> {
    if (this.#closed) return;
    try {
      const { size, atimeMs, mtimeMs } = await stat(this.layout.path(address));
      const expiresAt = mtimeMs < NEVER_MS - 1_000 ? mtimeMs : Infinity;
      this.#index.seen(address.id, { bytes: roomOf(size), usedAt: atimeMs, expiresAt, kept: address.kept });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  async #lookAtTemporary(): Promise<void> {
    let foreign = 0;
    for await (const name of this.layout.temporaryFiles()) {
      if (this.#closed || this.#writing.has(name)) continue;
      const path = join(this.layout.temporary, name);
      try {
        const { size, mtimeMs } = await stat(path);
        // By the clock that has set the time of the file, which is not the one of the store.
        if (Date.now() - mtimeMs < TEMPORARY_MAX_AGE_MS) foreign += roomOf(size);
        else await rm(path, { force: true });
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    this.#foreign = foreign;
  }
}
