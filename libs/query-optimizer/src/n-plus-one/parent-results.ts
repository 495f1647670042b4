/** Where the values of a loop come from. */
export interface ParentQuery {
  readonly sql: string;
  readonly where: string;
  readonly column: string;
}

interface Remembered extends ParentQuery {
  readonly values: ReadonlySet<unknown>;
}

const MAX_ROWS = 500;
const MAX_RESULTS = 200;

/** The results of a scope, as far as they may be what a later loop goes over. Bounded. */
export class ParentResults {
  readonly #results: Remembered[] = [];

  /** A single row begins no loop. */
  remember(sql: string, where: string, rows: readonly Readonly<Record<string, unknown>>[]): void {
    const [first] = rows;
    if (!first || rows.length < 2 || this.#results.length >= MAX_RESULTS) return;
    const some = rows.slice(0, MAX_ROWS);
    for (const column of Object.keys(first)) {
      const values = new Set(some.map((it) => it[column]).filter(isKey));
      if (values.size > 1) this.#results.push({ sql, where, column, values });
    }
  }

  /** The latest result that has all of the values in one column. */
  find(values: readonly unknown[]): ParentQuery | null {
    const wanted = new Set(values.filter(isKey));
    if (wanted.size < 2) return null;
    const found = this.#results.findLast((it) => wanted.isSubsetOf(it.values));
    return found ? { sql: found.sql, where: found.where, column: found.column } : null;
  }
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
}
