import { type ColumnUse } from '../analysis/predicate.js';
import { type Statement } from '../analysis/statement.js';
import { type CatalogueRelation } from './snapshot.js';

/**
 * Finds the table of an unqualified column as PostgreSQL does: the innermost query of which a table has it. Null when
 * two have it (a merged column of USING or NATURAL), or when something without known columns may have it.
 */
export function columnOwner(
  statement: Statement,
  relations: readonly (CatalogueRelation | undefined)[],
): (column: ColumnUse) => number | null {
  const has = (reference: number, name: string): boolean => relations[reference]?.columns.has(name) === true;
  return ({ name, reference, scopes }) => {
    if (reference !== null)
      return has(reference, name) && statement.references[reference]?.renamesColumns === false
        ? reference
        : null;
    for (const { references, opaque } of scopes) {
      const owners = references.filter((it) => has(it, name));
      const [only, ...others] = owners;
      if (only !== undefined) return others.length === 0 ? only : null;
      if (opaque || references.some((it) => relations[it] === undefined)) return null;
    }
    return null;
  };
}
