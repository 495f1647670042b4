import { type RelationName } from '../analysis/relation-name.js';
import { type CatalogueRelation, type CatalogueSnapshot } from './snapshot.js';

/** Where PostgreSQL looks for an unqualified name, in order: pg_catalog comes first unless it is listed. */
export function effectivePath(searchPath: readonly string[]): readonly string[] {
  return searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath];
}

/** The relation that a name means, or undefined. A temporary table of any session hides the others: the safe answer. */
export function findRelation(
  snapshot: CatalogueSnapshot,
  { schema, name }: RelationName,
  searchPath: readonly string[],
): CatalogueRelation | undefined {
  if (schema === 'pg_temp') return snapshot.temporary(name);
  if (schema !== null) return snapshot.named(schema, name);
  const temporary = snapshot.temporary(name);
  if (temporary !== undefined) return temporary;
  for (const it of effectivePath(searchPath)) {
    const found = snapshot.named(it, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `search_path` as a function's SET clause stores it: `"$user", public`. */
export function parseSearchPath(setting: string): string[] {
  return [...setting.matchAll(/"((?:[^"]|"")*)"|([^\s,]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
