import { type InvalidationObserver } from './observed-store.js';
import { isTableTag, tableTag } from './table-tags.js';

/** Counts writes by table, so that whoever remembers rows can tell whether they are still those. */
export class WriteCounts implements InvalidationObserver {
  readonly #byTag = new Map<string, number>();
  #all = 0;

  note(tags: readonly string[]): void {
    for (const it of tags) if (isTableTag(it)) this.#byTag.set(it, (this.#byTag.get(it) ?? 0) + 1);
  }

  noteAll(): void {
    this.#all++;
  }

  /** Another number after every write to one of the tables. */
  of(tables: readonly { readonly oid: number }[]): number {
    return tables.reduce((sum, { oid }) => sum + (this.#byTag.get(tableTag(oid)) ?? 0), this.#all);
  }
}
