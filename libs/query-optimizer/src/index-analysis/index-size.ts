/** Sizes of PostgreSQL's B-tree pages: src/include/access/nbtree.h, itup.h, bufpage.h. */
const PAGE_BYTES = 8_192;
const PAGE_OVERHEAD_BYTES = 24 + 16;
const ITEM_POINTER_BYTES = 4;
const TUPLE_HEADER_BYTES = 8;
/** A row's place in a posting list. */
const TID_BYTES = 6;
const ALIGNMENT = 8;
const INNER_PAGES_SHARE = 0.01;
const DEFAULT_FILL_FACTOR = 90;

export interface BtreeShape {
  readonly rows: number;
  /** Of the columns in an average row. */
  readonly widthBytes: number;
  /** Null when equal keys are not stored together: of unique indexes, or when it is not known. */
  readonly distinctKeys: number | null;
  readonly fillFactor?: number;
}

/**
 * What a B-tree takes after it was built anew. With deduplication (PostgreSQL 13) a key is stored once, with the places of
 * its rows.
 */
export function btreeBytes({
  rows,
  widthBytes,
  distinctKeys,
  fillFactor = DEFAULT_FILL_FACTOR,
}: BtreeShape): number {
  const entryBytes =
    Math.ceil((TUPLE_HEADER_BYTES + widthBytes) / ALIGNMENT) * ALIGNMENT + ITEM_POINTER_BYTES;
  const apart = rows * entryBytes;
  const together = distinctKeys === null ? apart : distinctKeys * entryBytes + rows * TID_BYTES;
  const roomOfPage = (PAGE_BYTES - PAGE_OVERHEAD_BYTES) * (fillFactor / 100);
  const leafPages = Math.ceil(Math.min(apart, together) / roomOfPage);
  return (Math.ceil(leafPages * (1 + INNER_PAGES_SHARE)) + 1) * PAGE_BYTES;
}
