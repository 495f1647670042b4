import { formatRelationName } from '../analysis/relation-name.js';
import { type Ask } from '../execution/own-statements.js';
import { type IndexRow } from './index-rows.js';
import { btreeBytes } from './index-size.js';

export interface Bloat {
  readonly index: IndexRow;
  /** What building it anew frees. */
  readonly freedBytes: number;
  readonly source: 'measured' | 'estimated';
}

export interface BloatLimits {
  /** Smaller indexes are not worth it. */
  readonly minBytes: number;
  /** Of the index that building it anew frees, 0 to 1. */
  readonly minShare: number;
  /** How much of indexes pgstattuple may read; the rest is estimated. */
  readonly readBytes: number;
}

interface WidthRow {
  readonly index: number;
  readonly width: number;
  readonly distinct: number;
  readonly known: number;
}

interface DensityRow {
  readonly density: number | null;
  readonly leaves: number;
  readonly others: number;
}

const FULL = 90;
const PAGE_BYTES = 8_192;

const WIDTHS = `
  SELECT i.indexrelid AS index, count(s.avg_width)::int AS known,
         sum(s.avg_width * (1 - s.null_frac))::float8 AS width,
         max(CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * greatest(t.reltuples, 1) ELSE s.n_distinct END)::float8
           AS "distinct"
  FROM pg_index i
  JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey::int2[]) AND a.attnum > 0
  LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname AND NOT s.inherited
  WHERE i.indexrelid = ANY ($1::oid[]) GROUP BY i.indexrelid`;

/** The schema of pgstattuple where it is installed and may be called; null otherwise. @throws the driver's error */
export async function pgstattupleSchema(ask: Ask): Promise<string | null> {
  const [extension] = await ask<{ schema: string }>(
    `SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pgstattuple' AND has_schema_privilege(n.oid, 'USAGE')`,
  );
  if (!extension) return null;
  const [right] = await ask<{ may: boolean }>(
    `SELECT has_function_privilege(format('%I.pgstatindex(regclass)', $1::text), 'EXECUTE') AS may`,
    [extension.schema],
  );
  return right?.may ? extension.schema : null;
}

/** Of B-trees; other methods are not judged. @throws the driver's error */
export async function findBloated(
  ask: Ask,
  indexes: readonly IndexRow[],
  schema: string | null,
  { minBytes, minShare, readBytes }: BloatLimits,
): Promise<Bloat[]> {
  const judged = indexes
    .filter((it) => it.method === 'btree' && it.isValid && !it.isPartitioned && it.sizeBytes >= minBytes)
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
  const widths = await widthsOf(ask, judged);
  const found: Bloat[] = [];
  let leftBytes = readBytes;
  for (const index of judged) {
    const mayRead = schema !== null && index.sizeBytes <= leftBytes;
    if (mayRead) leftBytes -= index.sizeBytes;
    const bloat = mayRead
      ? { index, freedBytes: await measured(ask, index, schema), source: 'measured' as const }
      : { index, freedBytes: estimated(index, widths.get(index.oid)), source: 'estimated' as const };
    if (bloat.freedBytes >= index.sizeBytes * minShare) found.push(bloat);
  }
  return found;
}

async function measured(ask: Ask, { oid, fillFactor }: IndexRow, schema: string): Promise<number> {
  const name = formatRelationName({ schema, name: 'pgstatindex' });
  const [row] = await ask<DensityRow>(
    `SELECT nullif(avg_leaf_density, 'NaN') AS density, leaf_pages::float8 AS leaves,
            (empty_pages + deleted_pages)::float8 AS others
     FROM ${name}($1::oid::regclass)`,
    [oid],
  );
  if (row?.density == null) return 0;
  const emptyShare = Math.max(0, 1 - row.density / Math.min(fillFactor, FULL));
  return (row.leaves * emptyShare + row.others) * PAGE_BYTES;
}

/** Nothing when a column's statistics cannot be read, or an expression has none. */
function estimated(index: IndexRow, width: WidthRow | undefined): number {
  const { keys, included, isUnique, deduplicates, tuples, fillFactor, sizeBytes } = index;
  const columns = keys.length + included.length;
  if (width?.known !== columns || tuples === 0) return 0;
  const mayShare = !isUnique && deduplicates && included.length === 0;
  const distinctKeys = mayShare ? Math.min(width.distinct, tuples) : null;
  return sizeBytes - btreeBytes({ rows: tuples, widthBytes: width.width, distinctKeys, fillFactor });
}

async function widthsOf(ask: Ask, indexes: readonly IndexRow[]): Promise<Map<number, WidthRow>> {
  if (indexes.length === 0) return new Map();
  const rows = await ask<WidthRow>(WIDTHS, [indexes.map((it) => it.oid)]);
  return new Map(rows.map((it) => [it.index, it]));
}
