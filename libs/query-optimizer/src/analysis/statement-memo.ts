import { type Statement } from './statement.js';

export interface StatementMemoLimits {
  /** @default 4096 */
  readonly maxTexts?: number;
  /** Estimated, texts and analyses together. @default 32 MiB */
  readonly maxBytes?: number;
}

interface Entry {
  readonly statement: Statement;
  readonly bytes: number;
  used: boolean;
}

/** Texts seen once may fill this part; what is asked for again moves on to the rest. */
const NEWCOMER_SHARE = 0.2;
/** A text above this part of the memory is not remembered: one bulk INSERT must not cost hundreds of queries. */
const LARGEST_SHARE = 1 / 64;

/**
 * Statements by text. Two queues after S3-FIFO (Yang et al., SOSP 2023), without its ghost list: newcomers wait in a
 * short queue and are kept only if they are asked for again there, so that a flood of texts with inlined literals
 * passes through without touching the proven ones. A hit sets a flag and moves nothing: some 20 ns.
 */
export class StatementMemo {
  readonly #newcomers = new Map<string, Entry>();
  readonly #proven = new Map<string, Entry>();
  readonly #maxTexts: number;
  #maxBytes: number;
  readonly #budgetBytes: number;
  #newcomerBytes = 0;
  #provenBytes = 0;

  constructor({ maxTexts = 4_096, maxBytes = 32 * 1024 * 1024 }: StatementMemoLimits = {}) {
    this.#maxTexts = maxTexts;
    this.#maxBytes = maxBytes;
    this.#budgetBytes = maxBytes;
  }

  get size(): number {
    return this.#newcomers.size + this.#proven.size;
  }

  get bytes(): number {
    return this.#newcomerBytes + this.#provenBytes;
  }

  get(text: string): Statement | undefined {
    const entry = this.#proven.get(text) ?? this.#newcomers.get(text);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.statement;
  }

  /** Answers the statement, so that it can end an expression. */
  add(text: string, statement: Statement): Statement {
    const bytes = estimatedBytes(statement);
    if (bytes > this.#maxBytes * LARGEST_SHARE || this.get(text) !== undefined) return statement;
    this.#newcomers.set(text, { statement, bytes, used: false });
    this.#newcomerBytes += bytes;
    this.#makeRoom();
    return statement;
  }

  /** Remembers no more than this share of its bytes, 0 to 1. @returns bytes that were let go of */
  limit(share: number): number {
    const before = this.bytes;
    this.#maxBytes = this.#budgetBytes * share;
    this.#makeRoom();
    return before - this.bytes;
  }

  #makeRoom(): void {
    while (this.size > this.#maxTexts || this.bytes > this.#maxBytes) this.#evict();
  }

  #evict(): void {
    const crowded =
      this.#newcomers.size > this.#maxTexts * NEWCOMER_SHARE ||
      this.#newcomerBytes > this.#maxBytes * NEWCOMER_SHARE;
    if (crowded || this.#proven.size === 0) this.#evictNewcomer();
    else this.#evictProven();
  }

  #evictNewcomer(): void {
    const oldest = firstOf(this.#newcomers);
    if (oldest === undefined) return;
    const [text, entry] = oldest;
    this.#newcomers.delete(text);
    this.#newcomerBytes -= entry.bytes;
    if (!entry.used) return;
    entry.used = false;
    this.#proven.set(text, entry);
    this.#provenBytes += entry.bytes;
  }

  /** What was used since it came last goes to the end of the queue once more. Ends, since every flag is cleared once. */
  #evictProven(): void {
    for (const [text, entry] of this.#proven) {
      this.#proven.delete(text);
      if (!entry.used) {
        this.#provenBytes -= entry.bytes;
        return;
      }
      entry.used = false;
      this.#proven.set(text, entry);
    }
  }
}

function firstOf(map: ReadonlyMap<string, Entry>): readonly [string, Entry] | undefined {
  for (const it of map) return it;
  return undefined;
}

/** Text by two bytes a character, a table, predicate or column by what V8 takes for such objects. */
function estimatedBytes({ text, references, predicates, columns, blocks, writes }: Statement): number {
  const objects = references.length + predicates.length * 2 + columns.length + blocks.length + writes.length;
  return 1_024 + text.length * 2 + objects * 160;
}
