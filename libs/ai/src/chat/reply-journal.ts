import { type CacheNamespace } from '@peregrine/cache';
import { randomUUID } from 'node:crypto';
import { type ReplyUsage } from './chat-reply.js';

/** How long what was written is kept: longer than anybody follows it, short enough to be no second cache. */
const KEPT_MS = 60_000;
/**
 * A run is pointed at for so long, and the pointer is renewed while it goes on: who comes after its process has died shall not
 * follow what nobody will end. About a lease of the cache.
 */
const ALIVE_MS = 6_000;
/** Pieces that are asked for in one round trip. */
const LOOK_AHEAD = 4;

/** How a reply ended. */
export interface JournalEnd {
  readonly usage: ReplyUsage;
  /** Whether it may answer those who did not wait for it. */
  readonly isWhole: boolean;
}

interface Piece {
  readonly chunks: readonly string[];
  readonly end?: JournalEnd;
}

const headKey = (key: string) => `${key}:head`;
const pieceKey = (key: string, run: string, index: number) => `${key}:${run}:${index}`;

/**
 * What a process that asks the provider writes down for the others while it goes on: a run, and its pieces in order. Each entry is
 * written once. What is lost on the way delays those who follow and harms nobody: the whole reply comes through the cache at its end.
 */
export class JournalWriter {
  readonly #run = randomUUID();
  #index = 0;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #beat: NodeJS.Timeout | undefined;

  constructor(
    private readonly entries: CacheNamespace,
    private readonly key: string,
  ) {}

  async begin(): Promise<void> {
    this.#beat = setInterval(() => void this.#point(ALIVE_MS), ALIVE_MS / 3).unref();
    await this.#point(ALIVE_MS);
  }

  /** At most one write is on its way: what comes meanwhile goes together. */
  append(chunk: string): void {
    this.#waiting.push(chunk);
    this.#writing ??= this.#drain();
  }

  async end(end: JournalEnd): Promise<void> {
    await this.#writing;
    await this.#write({ chunks: this.#waiting.splice(0), end });
    clearInterval(this.#beat);
    // From here to the cache the process may still die: the reply is paid, and shall not be again.
    if (end.isWhole) await this.#point(KEPT_MS);
  }

  /** Nobody shall begin to follow this run: its reply is in the cache, or it has failed. */
  async forget(): Promise<void> {
    clearInterval(this.#beat);
    await this.#writing;
    await this.entries.invalidate(headKey(this.key));
  }

  async #point(ttlMs: number): Promise<void> {
    await this.entries.set(headKey(this.key), this.#run, { ttlMs });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#write({ chunks: this.#waiting.splice(0) });
    this.#writing = undefined;
  }

  async #write(piece: Piece): Promise<void> {
    await this.entries.set(pieceKey(this.key, this.#run, this.#index++), piece, { ttlMs: KEPT_MS });
  }
}

/** What one look has brought. */
export interface JournalNews {
  readonly chunks: readonly string[];
  /** The chunks before are of another run. */
  readonly restarted: boolean;
}

/** Reads what another process writes, from its beginning. */
export class JournalReader {
  #run: string | undefined;
  #index = 0;
  #chunks: string[] = [];
  #end: JournalEnd | undefined;

  constructor(
    private readonly entries: CacheNamespace,
    private readonly key: string,
  ) {}

  /** One round trip. */
  async look(): Promise<JournalNews> {
    const run = this.#run;
    const wanted =
      run === undefined ? [] : Array.from({ length: LOOK_AHEAD }, (_, it) => this.#piece(run, it));
    const found = await this.entries.getMany<unknown>([headKey(this.key), ...wanted]);
    const head = found.get(headKey(this.key)) as string | undefined;
    if (head !== undefined && head !== run) return this.#begin(head);
    return {
      chunks: this.#takeInOrder(wanted.map((it) => found.get(it) as Piece | undefined)),
      restarted: false,
    };
  }

  /**
   * A run that was written to its end, though nobody has stored it: its process has died in between, or the reply may not be
   * stored. The latter answers only those who followed it while it came. Undefined when there is none.
   */
  async complete(): Promise<{ chunks: readonly string[]; end: JournalEnd } | undefined> {
    const followed = this.#run;
    for (let seen: string | undefined; seen !== this.#place(); await this.look()) seen = this.#place();
    const end = this.#end;
    return end && (end.isWhole || followed === this.#run) ? { chunks: this.#chunks, end } : undefined;
  }

  #place(): string {
    return `${this.#run} ${this.#index}`;
  }

  #begin(run: string): JournalNews {
    const restarted = this.#run !== undefined;
    this.#run = run;
    this.#index = 0;
    this.#chunks = [];
    this.#end = undefined;
    return { chunks: [], restarted };
  }

  #piece(run: string, ahead: number): string {
    return pieceKey(this.key, run, this.#index + ahead);
  }

  /** One that is missing holds up those behind it. */
  #takeInOrder(pieces: readonly (Piece | undefined)[]): string[] {
    const chunks: string[] = [];
    for (const piece of pieces) {
      if (!piece || this.#end) break;
      this.#index++;
      chunks.push(...piece.chunks);
      this.#end = piece.end;
    }
    this.#chunks.push(...chunks);
    return chunks;
  }
}
