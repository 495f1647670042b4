import { type Candidate } from './candidate.js';
import { type TableFacts } from './table-facts.js';

const PAGE_BYTES = 8_192;
/** B-tree leaves are filled to 90 %, and begin with a header and end with 16 bytes of links. */
const LEAF_BYTES = (PAGE_BYTES - 40) * 0.9;
const LINE_POINTER_BYTES = 4;
const TUPLE_HEADER_BYTES = 8;
const ROW_POINTER_BYTES = 6;
/** Posting lists are cut at a third of a page. */
const MAX_POSTING_ROWS = 400;
/** nbtree keeps no posting lists for types whose equal values may look different. */
const NOT_DEDUPLICATED = new Set(['numeric', 'float4', 'float8', 'jsonb']);

/**
 * Bytes of a b-tree, BRIN or hash index on one table. HypoPG knows nothing of deduplication (PostgreSQL 13), and calls an index
 * of few values up to 3.4 times too large, which a byte budget would then refuse.
 */
export function estimatedSizeBytes(candidate: Candidate, table: TableFacts): number {
  if (candidate.method === 'brin')
    return 3 * PAGE_BYTES + Math.ceil(table.pageCount / 128 / 250) * PAGE_BYTES;
  const rowCount = table.rowCount * indexedFraction(candidate, table);
  if (candidate.method === 'hash') return (4 + Math.ceil((rowCount * 20) / (PAGE_BYTES * 0.75))) * PAGE_BYTES;
  const leaves = Math.max(1, Math.ceil((rowCount * entryBytes(candidate, table, rowCount)) / LEAF_BYTES));
  // One page of meta data, and the pages above the leaves.
  return (1 + leaves + Math.ceil(leaves / 200)) * PAGE_BYTES;
}

function entryBytes(candidate: Candidate, table: TableFacts, rowCount: number): number {
  const names = [...candidate.keys.flatMap((it) => it.columns), ...candidate.included];
  const widths = names.map((it) => table.columns.get(it)?.averageBytes ?? 8);
  const tupleBytes =
    aligned(TUPLE_HEADER_BYTES + widths.reduce((sum, it) => sum + it, 0)) + LINE_POINTER_BYTES;
  const rowsPerKey = Math.min(MAX_POSTING_ROWS, rowCount / Math.max(1, distinctCount(candidate, table)));
  if (candidate.included.length > 0 || rowsPerKey < 2 || !isDeduplicated(candidate, table)) return tupleBytes;
  return ROW_POINTER_BYTES + tupleBytes / rowsPerKey;
}

function isDeduplicated(candidate: Candidate, table: TableFacts): boolean {
  return candidate.keys.every((key) =>
    key.columns.every((it) => !NOT_DEDUPLICATED.has(table.columns.get(it)?.baseType ?? '')),
  );
}

/** Values of several columns count as independent, so this is the upper bound: the index is rather called too large. */
function distinctCount(candidate: Candidate, table: TableFacts): number {
  const counts = candidate.keys.flatMap((key) =>
    key.columns.map((it) => table.columns.get(it)?.distinctCount ?? table.rowCount),
  );
  return Math.min(
    table.rowCount,
    counts.reduce((product, it) => product * it, 1),
  );
}

/** Share of the rows that a partial index holds. */
export function indexedFraction({ predicate, predicateColumns }: Candidate, table: TableFacts): number {
  const column = table.columns.get(predicateColumns[0] ?? '');
  if (predicate === null || column === undefined) return 1;
  if (predicate.endsWith(' IS NULL')) return column.nullFraction;
  if (predicate.endsWith(' IS NOT NULL')) return 1 - column.nullFraction;
  return Math.min(1, Math.max(column.commonFraction, 1 / column.distinctCount));
}

const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;
