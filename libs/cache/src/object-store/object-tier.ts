import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CacheFormatError, DamagedObjectError } from '../cache.errors.js';
import type { Scope } from '../coherence/scopes.js';
import type { EntryDraft, NotedGenerations, TierEntry } from '../entry.js';
import { streamOf } from './byte-streams.js';
import { encodeFrameHead, openFrame, type FrameHead, type OpenFrame } from './object-frame.js';
import { SourceFailure, type ObjectGate } from './object-gate.js';
import { isCurrent } from './object-generations.js';
import type { ObjectFormat, ObjectTierOptions, StreamDraft, StreamEntry } from './object-tier.types.js';
import { steadyClock } from './steady-clock.js';
import { packStream, unpackStream } from './stream-compression.js';
import { StreamWatch, watched } from './stream-watch.js';

/** Nobody waits for a write, so it may take its time. */
const WRITE_DEADLINE_FACTOR = 10;
/** More are not started: each holds its value in memory. */
const MAX_WRITES = 32;
/** An object from so far in the future was written before the clock was set back, milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Before the keys of all entries, so that no prefix leads among what must be kept. */
const ENTRIES = 'entries/';

interface OpenObject extends OpenFrame {
  readonly source: Readable;
  readonly format: ObjectFormat;
  readonly remainingMs: number;
}

/**
 * Tier 3: entries in an object store. An object carries the generations it was loaded under, and is a hit only when they
 * equal those that its reader has noted. So nothing has to be deleted to be invalid, and a write that was overtaken
 * is harmless. No method rejects, and none takes longer than its deadline.
 */
export class ObjectTier {
  readonly counters = { hits: 0, misses: 0, writes: 0, refused: 0, bytesRead: 0, bytesWritten: 0 };
  readonly #now: () => number;
  #writing = 0;

  constructor(
    private readonly gate: ObjectGate,
    private readonly options: ObjectTierOptions,
  ) {
    this.#now = options.now ?? steadyClock();
  }

  /** Whether reads get through to the store. */
  get available(): boolean {
    return this.gate.available;
  }

  /** Undefined for a miss, and when the store gives no answer in time. */
  async read(entry: Scope, noted: NotedGenerations): Promise<TierEntry | undefined> {
    return this.#reading(entry, noted, false, async ({ head, digest, body, format, remainingMs }) => {
      const bytes = await buffer(body);
      this.counters.bytesRead += bytes.length;
      const decoded = await this.#decode(format, boundAddress(entry, digest), bytes, remainingMs);
      return decoded && { ...decoded, scopes: head.scopes };
    });
  }

  /**
   * As {@link read} for what {@link writeStream} has kept. The body comes decompressed, and must be read to its end or
   * destroyed; it fails when the store stops in the middle.
   */
  async openStream(
    entry: Scope,
    noted: NotedGenerations,
  ): Promise<{ readonly body: Readable; readonly entry: StreamEntry } | undefined> {
    return this.#reading(entry, noted, true, (object) => {
      const { head, source, remainingMs } = object;
      const { compressed, freshMs, hardMs, ...facts } = head.bytes as NonNullable<FrameHead['bytes']>;
      const chunks = watched(object.body, this.gate.timeoutMs, (bytes) => (this.counters.bytesRead += bytes));
      const body = unpackStream(chunks, compressed);
      body.once('error', () => this.gate.errors++).once('close', () => source.destroy());
      const times = { freshMs: remainingMs - (hardMs - freshMs), hardMs: remainingMs };
      return Promise.resolve({ body, entry: { ...facts, ...times, scopes: head.scopes } });
    });
  }

  /** False when it was not kept, for whatever reason. The generations are not checked here, but by every reader. */
  async write(entry: Scope, noted: NotedGenerations, draft: EntryDraft): Promise<boolean> {
    const capped = this.#capped(draft);
    if (capped === undefined) return this.#refuse();
    return this.#oneWrite(async () => {
      const { codec } = this.options.formatOf(entry);
      const { bytes: head, digest } = encodeFrameHead(this.#headOf(noted, capped.hardMs));
      const body = await codec.encode(boundAddress(entry, digest), capped);
      const bytes = Buffer.concat([head, body]);
      const options = { ttlMs: Math.ceil(capped.hardMs) };
      const put = (signal: AbortSignal) =>
        this.gate.store.put(this.#keyOf(entry), bytes, {}, { ...options, signal });
      await this.gate.write(put, this.gate.timeoutMs * WRITE_DEADLINE_FACTOR);
      return bytes.length;
    });
  }

  /**
   * As {@link write} for bytes, in constant memory and compressed on the way where that saves something. The source is
   * read to its end or destroyed. It may be as slow as it likes; the store may not.
   */
  async writeStream(
    entry: Scope,
    noted: NotedGenerations,
    source: Readable,
    draft: StreamDraft,
  ): Promise<boolean> {
    // The source may fail before anyone reads it.
    source.on('error', () => undefined);
    const capped = this.#capped(draft);
    const { streams } = this.options.formatOf(entry);
    try {
      if (capped === undefined || streams === 'refused') return this.#refuse();
      return await this.#oneWrite(() =>
        this.#putStream(entry, noted, source, capped, streams === 'compressed'),
      );
    } finally {
      source.destroy();
    }
  }

  /** As far as the store can be reached; the generations make sure of it anyway. */
  async remove(entries: readonly Scope[]): Promise<void> {
    if (entries.length === 0 || !this.available) return;
    await this.#quietly(() => this.gate.store.delete(entries.map((it) => this.#keyOf(it))));
  }

  /** Frees the room of all entries; for the same reason it need not succeed. */
  async clear(): Promise<void> {
    if (!this.available) return;
    await this.#quietly(() => this.gate.store.clear(`${ENTRIES}${this.options.prefix}/`));
  }

  async #reading<T>(
    entry: Scope,
    noted: NotedGenerations,
    asBytes: boolean,
    use: (object: OpenObject) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (!this.available) return undefined;
    try {
      const result = await this.gate.read(async (signal) => {
        try {
          const object = await this.#open(entry, noted, signal);
          if (object === undefined) return undefined;
          if ((object.head.bytes !== undefined) === asBytes) return await use(object);
          object.source.destroy();
        } catch (error) {
          if (!isUnreadable(error)) throw error;
          this.gate.errors++;
          await this.gate.store.delete([this.#keyOf(entry)]);
        }
        return undefined;
      });
      if (result === undefined) this.counters.misses++;
      else this.counters.hits++;
      return result;
    } catch (error) {
      this.options.onProblem?.(error);
      return undefined;
    }
  }

  /** @throws {CacheFormatError} */
  async #decode({ codec }: ObjectFormat, address: string, bytes: Buffer, remainingMs: number) {
    try {
      return await codec.decode(address, bytes, remainingMs);
    } catch (error) {
      if (error instanceof CacheFormatError) throw error;
      // A key that another process has may be missing here: the object stays, and the store is not to blame.
      this.gate.errors++;
      this.options.onProblem?.(error);
      return undefined;
    }
  }

  /** The object of an entry when it is a hit. */
  async #open(entry: Scope, noted: NotedGenerations, signal: AbortSignal): Promise<OpenObject | undefined> {
    const found = await this.gate.store.get(this.#keyOf(entry), { signal });
    if (found === undefined || found === 'not-modified') return undefined;
    const source = found.body;
    source.on('error', () => undefined);
    try {
      // The deadline has passed, and nobody waits any more.
      signal.throwIfAborted();
      const frame = await openFrame(source[Symbol.asyncIterator]());
      const remainingMs = this.#remainingMs(frame.head);
      if (remainingMs > 0 && (await isCurrent(frame.head, entry, noted, this.options.note))) {
        return { ...frame, source, remainingMs, format: this.options.formatOf(entry) };
      }
    } catch (error) {
      source.destroy();
      throw error;
    }
    source.destroy();
    return undefined;
  }

  /** 0 or less for an object that may not be used any more. */
  #remainingMs({ storedAt, hardUntil }: FrameHead): number {
    const now = this.#now();
    if (storedAt > now + CLOCK_TOLERANCE_MS) return 0;
    // The longest life may have been lowered since, and the life of the generations with it.
    return Math.min(hardUntil, storedAt + this.options.ttlMs) - now;
  }

  #capped<T extends StreamDraft>(draft: T): T | undefined {
    const { ttlMs } = this.options;
    if (!(draft.hardMs > 0) || !this.available) return undefined;
    return { ...draft, freshMs: Math.min(draft.freshMs, ttlMs), hardMs: Math.min(draft.hardMs, ttlMs) };
  }

  #headOf(noted: NotedGenerations, hardMs: number): FrameHead {
    const storedAt = this.#now();
    return { ...noted, storedAt, hardUntil: storedAt + hardMs };
  }

  async #putStream(
    entry: Scope,
    noted: NotedGenerations,
    source: Readable,
    { freshMs, hardMs, loadMs, createdAt, etag, lastModified }: StreamDraft,
    compress: boolean,
  ): Promise<number> {
    const head = this.#headOf(noted, hardMs);
    const packed = await packStream(source, compress).catch(sourceFailed);
    const facts = { freshMs, hardMs, loadMs, createdAt, etag, lastModified, compressed: packed.compressed };
    const watch = new StreamWatch(this.gate.timeoutMs * WRITE_DEADLINE_FACTOR);
    const body = streamOf(watch.frame(encodeFrameHead({ ...head, bytes: facts }).bytes, packed.chunks));
    const options = { ttlMs: Math.ceil(hardMs), signal: watch.signal };
    const put = () => this.gate.store.put(this.#keyOf(entry), body, {}, options);
    await this.gate.write(() => watch.over(put), Infinity);
    return watch.bytes;
  }

  /** @param write answers how many bytes were written */
  async #oneWrite(write: () => Promise<number>): Promise<boolean> {
    if (this.#writing >= MAX_WRITES) return this.#refuse();
    this.#writing++;
    try {
      this.counters.bytesWritten += await write();
      this.counters.writes++;
      return true;
    } catch (error) {
      // The store, which the gate has counted, a value without a form, or the source of a stream.
      this.options.onProblem?.(error);
      return this.#refuse();
    } finally {
      this.#writing--;
    }
  }

  #refuse(): false {
    this.counters.refused++;
    return false;
  }

  async #quietly(run: () => Promise<unknown>): Promise<void> {
    const deadlineMs = this.gate.timeoutMs * WRITE_DEADLINE_FACTOR;
    // Counted by the gate.
    await this.gate.write(run, deadlineMs).catch(() => undefined);
  }

  /** Other versions of the wire or the schema live beside this one. */
  #keyOf(entry: Scope): string {
    return `${ENTRIES}${this.options.prefix}/${this.options.formatOf(entry).codec.version}/${entry}`;
  }
}

/** Binds a body to its entry and to the head before it: an encrypted one opens in no other place. */
const boundAddress = (entry: Scope, digest: string) => `${digest} ${entry}`;

const isUnreadable = (error: unknown) =>
  error instanceof CacheFormatError || error instanceof DamagedObjectError;

function sourceFailed(cause: unknown): never {
  throw new SourceFailure('The source failed', { cause });
}
