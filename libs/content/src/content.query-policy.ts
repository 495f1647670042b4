import { type CachedStatement, type Statement } from '@peregrine/query-optimizer';

/** The tables that lists, single rows and searches are read from. A migration gives each the triggers that tell of writes. */
export const CACHED_TABLES = ['workspaces', 'api_key_workspaces', 'files', 'file_documents'] as const;

const tables: ReadonlySet<string> = new Set(CACHED_TABLES);

/** Makes the passages of a hit: they are kept by file, and for longer, by `SnippetService`. */
const HEADLINE = 'ts_headline';

/**
 * Which statements of the workload may be answered from the query optimizer's cache, with no word where they are made: those
 * that read nothing but the tables above. For callers to whom an answer from a moment ago is good when another
 * process has written; whoever acts on what he reads must not have this policy.
 */
export function contentQueryPolicy({ kind, reads, functions }: Statement): CachedStatement | undefined {
  if (kind !== 'select' || reads.length === 0) return undefined;
  if (!reads.every(({ schema, name }) => schema === null && tables.has(name))) return undefined;
  return functions.some((it) => it.name.name === HEADLINE) ? undefined : {};
}
