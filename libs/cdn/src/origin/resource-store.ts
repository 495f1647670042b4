import type { Coding } from '../http/accept-encoding.js';
import { mediaTypeOf, type Policy } from '../policy/policy-table.js';
import { CodingMaker } from './coding-maker.js';
import type { LocatedFile } from './file-locator.js';
import { readWholeFile } from './file-reading.js';
import type { OriginOptions } from './origin.options.js';
import { etagOf } from './coded-content.js';
import {
  type HeaderBlocks,
  memoryBytesOf,
  type Representation,
  type Resource,
  statEtagOf,
} from './representation.js';

/** A resource in memory, and when its file was last looked at. */
export interface Slot {
  readonly resource: Resource;
  /** Of the machine's clock, milliseconds. */
  checkedAtMs: number;
  /** False once it was replaced or pushed out. */
  isKept: boolean;
  /** Asked for since the last sweep. */
  isUsed: boolean;
  bytes: number;
  readonly making: Map<Coding, Promise<Representation | null>>;
}

/**
 * Files in memory with their codings and headers, bounded by bytes. What was not asked for since the last sweep makes
 * room first (the second-chance algorithm: a hit costs one assignment).
 */
export class ResourceStore {
  readonly #slots = new Map<string, Slot>();
  readonly #loads = new Map<string, Promise<Slot>>();
  readonly #maker: CodingMaker;
  #bytes = 0;
  #maxBytes: number;

  constructor(
    private readonly options: OriginOptions,
    private readonly headers: HeaderBlocks,
  ) {
    this.#maxBytes = options.memory.maxBytes;
    this.#maker = new CodingMaker(options.compression, headers);
  }

  get bytes(): number {
    return this.#bytes;
  }
  get size(): number {
    return this.#slots.size;
  }

  /** The file as it is now: from memory when it did not change. Those who ask together share one load. */
  async load(located: LocatedFile, policy: Policy): Promise<Slot> {
    // The same file may be asked for under its hashed and under its plain name.
    const key = `${policy.isHashed ? 'hashed' : 'stable'} ${located.path} ${located.realPath}`;
    const known = this.#slots.get(key);
    if (known?.resource.file.fingerprint === located.fingerprint) {
      known.checkedAtMs = Date.now();
      return known;
    }
    const loadKey = `${located.fingerprint} ${key}`;
    let load = this.#loads.get(loadKey);
    if (load === undefined) {
      load = this.#load(key, located, policy).finally(() => this.#loads.delete(loadKey));
      this.#loads.set(loadKey, load);
    }
    return load;
  }

  /** The best representation that `accepted` allows; undefined when it allows none. */
  select(
    slot: Slot,
    accepted: readonly Coding[],
  ): Representation | undefined | Promise<Representation | undefined> {
    const { identity, codings } = slot.resource;
    const isIdentityFine = accepted.includes('identity');
    for (const coding of accepted) {
      if (coding === 'identity') return identity;
      // Too small to gain by it, unless there is no other way.
      if (isIdentityFine && identity.sizeBytes < this.options.compression.minBytes) continue;
      const representation = codings.get(coding);
      if (representation === undefined) {
        return this.#make(slot, coding).then(() => this.select(slot, accepted));
      }
      if (representation === null || (isIdentityFine && representation.sizeBytes >= identity.sizeBytes))
        continue;
      return representation;
    }
    return undefined;
  }

  /** Forgets a file that was found changed. */
  forget(slot: Slot): void {
    for (const [key, it] of this.#slots) if (it === slot) this.#remove(key, it);
  }

  /** Keeps no more than this share of its bytes, 0 to 1. @returns bytes that were let go of */
  limit(share: number): number {
    const before = this.#bytes;
    this.#maxBytes = this.options.memory.maxBytes * share;
    this.#makeRoom();
    return before - this.#bytes;
  }

  clear(): void {
    for (const [key, slot] of this.#slots) this.#remove(key, slot);
  }

  async #load(key: string, located: LocatedFile, policy: Policy): Promise<Slot> {
    const isSmall =
      located.sizeBytes <= Math.min(this.options.memory.maxFileBytes, this.options.memory.maxBytes);
    const { bytes, file } = isSmall ? await readWholeFile(located) : { bytes: undefined, file: located };
    const mediaType = mediaTypeOf(file.path);
    const lastModifiedMs = this.options.lastModified
      ? Number(file.mtimeNs / 1_000_000_000n) * 1_000
      : undefined;
    const content =
      bytes === undefined
        ? { sizeBytes: file.sizeBytes, etag: statEtagOf(file), file }
        : { sizeBytes: bytes.length, etag: etagOf(bytes), bytes };
    const facts = { policy, mediaType, lastModifiedMs };
    const identity = this.headers.represent({ coding: 'identity', ...content }, facts);
    const isNegotiable = this.headers.isNegotiable(policy);
    const resource: Resource = { file, ...facts, isNegotiable, identity, codings: new Map() };
    return this.#keep(key, {
      resource,
      checkedAtMs: Date.now(),
      isKept: true,
      isUsed: true,
      bytes: memoryBytesOf(identity),
      making: new Map(),
    });
  }

  #keep(key: string, slot: Slot): Slot {
    const before = this.#slots.get(key);
    if (before) this.#remove(key, before);
    this.#slots.set(key, slot);
    this.#bytes += slot.bytes;
    this.#makeRoom();
    return slot;
  }

  #make(slot: Slot, coding: Exclude<Coding, 'identity'>): Promise<Representation | null> {
    let making = slot.making.get(coding);
    if (making === undefined) {
      making = this.#makeOnce(slot, coding).finally(() => slot.making.delete(coding));
      slot.making.set(coding, making);
    }
    return making;
  }

  async #makeOnce(slot: Slot, coding: Exclude<Coding, 'identity'>): Promise<Representation | null> {
    const made = await this.#maker.make(slot.resource, coding);
    slot.resource.codings.set(coding, made);
    if (made && slot.isKept) {
      slot.bytes += memoryBytesOf(made);
      this.#bytes += memoryBytesOf(made);
      this.#makeRoom();
    }
    return made;
  }

  #makeRoom(): void {
    while (this.#bytes > this.#maxBytes) {
      const [oldest] = this.#slots;
      if (oldest === undefined) return;
      const [key, slot] = oldest;
      if (slot.isUsed && this.#slots.size > 1) {
        slot.isUsed = false;
        // To the end of the row.
        this.#slots.delete(key);
        this.#slots.set(key, slot);
      } else {
        this.#remove(key, slot);
      }
    }
  }

  #remove(key: string, slot: Slot): void {
    if (!slot.isKept) return;
    this.#slots.delete(key);
    this.#bytes -= slot.bytes;
    slot.isKept = false;
  }
}
