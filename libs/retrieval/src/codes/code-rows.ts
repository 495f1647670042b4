import { CODE_WORDS, readBits } from '@peregrine/ai/vectors';
import { type ChunkFilter } from '../search/chunk-filter.js';

/** A code and what filters ask of its chunk, as {@link CODE_COLUMNS} reads it. */
export interface CodeRow {
  readonly id: string;
  readonly code: string;
  readonly type: string;
  readonly documentId: string;
  readonly createdAt: Date;
}

/** Of a table `retrieval_codes` named `c`. */
export const CODE_COLUMNS = `c.chunk_id AS id, c.code::text AS code, c.type, c.document_id AS "documentId", c.created_at AS "createdAt"`;

/** Codes in memory with the columns that filters ask; a place is an index of all of them. */
export interface CodeRows {
  /** In the order of the places. */
  readonly ids: readonly string[];
  readonly codes: Uint32Array;
  /** Whether the chunk of a place passes. */
  test(filter: ChunkFilter): (place: number) => boolean;
}

/** Texts that few rows differ in, as numbers. */
class Names {
  readonly #numbers = new Map<string, number>();

  add(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  /** Those of these names that there are. */
  among(names: readonly string[]): ReadonlySet<number> {
    return new Set(names.flatMap((it) => this.#numbers.get(it) ?? []));
  }
}

interface Page {
  readonly codes: Uint32Array;
  readonly types: Uint32Array;
  readonly documents: Uint32Array;
  readonly createdAtMs: Float64Array;
}

/** Puts rows that come page by page into few large arrays. */
export class CodeRowsBuilder {
  readonly #ids: string[] = [];
  readonly #pages: Page[] = [];
  readonly #types = new Names();
  readonly #documents = new Names();

  get size(): number {
    return this.#ids.length;
  }

  add(rows: readonly CodeRow[]): void {
    const codes = new Uint32Array(rows.length * CODE_WORDS);
    rows.forEach(({ id, code }, at) => {
      this.#ids.push(id);
      readBits(code, codes, at * CODE_WORDS);
    });
    this.#pages.push({
      codes,
      types: Uint32Array.from(rows, (it) => this.#types.add(it.type)),
      documents: Uint32Array.from(rows, (it) => this.#documents.add(it.documentId)),
      createdAtMs: Float64Array.from(rows, (it) => it.createdAt.getTime()),
    });
  }

  /** The codes are in a buffer that threads can share. */
  build(): CodeRows {
    const [types, documents] = [this.#types, this.#documents];
    const codes = new Uint32Array(new SharedArrayBuffer(this.size * CODE_WORDS * 4));
    const typeOf = new Uint32Array(this.size);
    const documentOf = new Uint32Array(this.size);
    const createdAtMs = new Float64Array(this.size);
    let start = 0;
    for (const page of this.#pages) {
      codes.set(page.codes, start * CODE_WORDS);
      typeOf.set(page.types, start);
      documentOf.set(page.documents, start);
      createdAtMs.set(page.createdAtMs, start);
      start += page.types.length;
    }
    return {
      ids: this.#ids,
      codes,
      test(filter) {
        const wantedTypes = filter.types && types.among(filter.types);
        const wantedDocuments = filter.documentIds && documents.among(filter.documentIds);
        const fromMs = filter.createdFrom?.getTime() ?? -Infinity;
        const beforeMs = filter.createdBefore?.getTime() ?? Infinity;
        return (place) => {
          const atMs = createdAtMs[place] ?? NaN;
          return (
            atMs >= fromMs &&
            atMs < beforeMs &&
            (!wantedTypes || wantedTypes.has(typeOf[place] ?? -1)) &&
            (!wantedDocuments || wantedDocuments.has(documentOf[place] ?? -1))
          );
        };
      },
    };
  }
}
