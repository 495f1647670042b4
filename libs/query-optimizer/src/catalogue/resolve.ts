import { createHash } from 'node:crypto';

import { grammarFingerprint } from '../analysis/fingerprint.js';
import { type Statement } from '../analysis/statement.js';
import { EffectWalk, nameOf } from './effect-walk.js';
import { resolvedKeys } from './resolved-keys.js';
import { type ResolvedStatement, type ResolvedTable } from './resolved-statement.js';
import { findRelation } from './search-path.js';
import { type CatalogueRelation, type CatalogueSnapshot } from './snapshot.js';

/** Another search path for the same text is rare: schema per tenant. Of more than this per text the oldest goes. */
const MAX_PATHS_PER_STATEMENT = 256;

const memories = new WeakMap<CatalogueSnapshot, WeakMap<Statement, Map<string, ResolvedStatement>>>();

/**
 * What a statement means for one state of the schema. `searchPath` is the session's, with `$user` resolved
 * (`current_schemas(false)`). Remembered per snapshot, statement and path.
 */
export function resolveStatement(
  snapshot: CatalogueSnapshot,
  statement: Statement,
  searchPath: readonly string[],
): ResolvedStatement {
  const key = searchPath.length === 1 ? (searchPath[0] ?? '') : searchPath.join('\0');
  const known = memories.get(snapshot)?.get(statement)?.get(key);
  return known ?? remember(snapshot, statement, key, resolveAfresh(snapshot, statement, searchPath));
}

function remember(
  snapshot: CatalogueSnapshot,
  statement: Statement,
  key: string,
  resolved: ResolvedStatement,
): ResolvedStatement {
  const byStatement = memories.get(snapshot) ?? new WeakMap<Statement, Map<string, ResolvedStatement>>();
  memories.set(snapshot, byStatement);
  const byPath = byStatement.get(statement) ?? new Map<string, ResolvedStatement>();
  byStatement.set(statement, byPath);
  const [oldest] = byPath.keys();
  if (byPath.size >= MAX_PATHS_PER_STATEMENT && oldest !== undefined) byPath.delete(oldest);
  byPath.set(key, resolved);
  return resolved;
}

function resolveAfresh(
  snapshot: CatalogueSnapshot,
  statement: Statement,
  searchPath: readonly string[],
): ResolvedStatement {
  const walk = new EffectWalk(snapshot);
  walk.visit(statement, searchPath, true);
  const { effects } = walk;
  const unknownWriters = [...effects.unknownWriters].sort();
  if (statement.kind !== 'select') {
    effects.uncacheable('NOT_A_SELECT', `Only what reads is cached, and this is: ${statement.kind}.`);
  }
  if (effects.writes.size > 0 || unknownWriters.length > 0) {
    effects.uncacheable('WRITES', 'It writes, or may write.');
  }
  const { readKeys, writeKeys } = resolvedKeys(snapshot, statement, searchPath, effects);
  let fingerprint: string | undefined;
  return Object.freeze({
    statement,
    catalogueVersion: snapshot.version,
    reads: Object.freeze(sorted(effects.reads)),
    writes: Object.freeze(sorted(effects.writes)),
    unknownWrites: unknownWriters.length > 0,
    unknownWriters: Object.freeze(unknownWriters),
    isCacheable: effects.reasons.length === 0,
    uncacheable: Object.freeze(effects.reasons),
    isVolatile:
      effects.has('VOLATILE_FUNCTION') || effects.has('TIME_DEPENDENT') || effects.has('SAMPLES_ROWS'),
    readsRowSecurity: effects.readRowSecurity,
    sessionChange: unknownWriters.length > 0 ? 'names' : effects.sessionChange,
    readKeys,
    writeKeys,
    get fingerprint(): string {
      return (fingerprint ??= resolvedFingerprint(snapshot, statement, searchPath));
    },
  });
}

function sorted(relations: ReadonlyMap<number, CatalogueRelation>): ResolvedTable[] {
  return [...relations.values()]
    .sort((a, b) => a.oid - b.oid)
    .map(({ oid, schema, name, kind }) => Object.freeze({ oid, schema, name, kind }));
}

function resolvedFingerprint(
  snapshot: CatalogueSnapshot,
  statement: Statement,
  searchPath: readonly string[],
): string {
  const hash = createHash('sha256').update(grammarFingerprint(statement.text));
  const names = [...statement.references, ...statement.writes].map(({ relation }) =>
    nameOf(findRelation(snapshot, relation, searchPath) ?? relation),
  );
  for (const it of new Set(names)) hash.update('\0').update(it);
  return hash.digest('hex').slice(0, 16);
}
