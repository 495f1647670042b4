/** Who writes the log of an edge. */
export const EDGE_SOURCES = ['nginx', 'varnish'] as const;
export type EdgeSource = (typeof EDGE_SOURCES)[number];

/**
 * What an edge did with a request. `hit` and `stale` were answered without the origin; `revalidated` and `miss` asked
 * it; `pass` was never for the cache; `synthetic` is an answer of the edge's own, such as to a purge.
 */
export const EDGE_RESULTS = ['hit', 'stale', 'revalidated', 'miss', 'pass', 'synthetic'] as const;
export type EdgeResult = (typeof EDGE_RESULTS)[number];

/** One request in the log of an edge. */
export interface EdgeLogEntry {
  readonly source: EdgeSource;
  readonly result: EdgeResult;
  /** Sent to the client, headers included. */
  readonly bytes: number;
}

/** Values of nginx's `$upstream_cache_status` and of Varnish's `%{Varnish:handling}x`; their spellings do not overlap. */
const STATUSES = new Map<string, readonly [EdgeSource, EdgeResult]>([
  ['HIT', ['nginx', 'hit']],
  ['STALE', ['nginx', 'stale']],
  ['UPDATING', ['nginx', 'stale']],
  ['REVALIDATED', ['nginx', 'revalidated']],
  ['MISS', ['nginx', 'miss']],
  ['EXPIRED', ['nginx', 'miss']],
  ['SCARCE', ['nginx', 'miss']],
  ['BYPASS', ['nginx', 'pass']],
  ['', ['nginx', 'pass']],
  ['-', ['nginx', 'pass']],
  ['hit', ['varnish', 'hit']],
  ['miss', ['varnish', 'miss']],
  ['pass', ['varnish', 'pass']],
  ['pipe', ['varnish', 'pass']],
  ['synth', ['varnish', 'synthetic']],
  ['error', ['varnish', 'synthetic']],
]);

/**
 * A line of JSON with the fields `cache` and `bytes`, as the generated configuration of nginx and
 * {@link VARNISH_LOG_FORMAT} write it.
 *
 * @returns nothing for a line that is something else
 */
export function parseEdgeLogLine(line: string): EdgeLogEntry | undefined {
  const fields = parsedObject(line);
  if (!fields) return undefined;
  const { cache, bytes } = fields;
  const status = typeof cache === 'string' ? STATUSES.get(cache) : undefined;
  if (!status || typeof bytes !== 'number' || !Number.isFinite(bytes) || bytes < 0) return undefined;
  const [source, result] = status;
  return { source, result, bytes };
}

function parsedObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Whoever counts the lines counts this one too.
    return undefined;
  }
}
