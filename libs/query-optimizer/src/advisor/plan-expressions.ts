import { type Node } from 'libpg-query';

import { parseScript } from '../analysis/parser.js';
import { QuerySyntaxError } from '../query-optimizer.errors.js';

/** What EXPLAIN writes and the grammar does not know: `(SubPlan 1)`, `(hashed SubPlan 2).col1`, `(InitPlan 1).col1`. */
const PLAN_REFERENCE = /\(?\b(?:hashed )?(?:SubPlan|InitPlan) \d+\)?(?:\.col\d+)?/g;

/** Parses what EXPLAIN prints of conditions, outputs and keys. Texts that are no SQL are left out. */
export class PlanExpressions {
  readonly #nodes = new Map<string, Node | null>();

  /** The tree of one expression or of one sort key (a SortBy node); null when it does not parse. */
  parse(text: string): Node | null {
    const known = this.#nodes.get(text);
    if (known !== undefined) return known;
    const node = this.#parseAfresh(text);
    this.#nodes.set(text, node);
    return node;
  }

  #parseAfresh(text: string): Node | null {
    // As a sort key, since that takes any expression and the directions as well.
    const parsed = parseScript(`SELECT ORDER BY ${text.replace(PLAN_REFERENCE, '$$1')}`);
    if (parsed instanceof QuerySyntaxError) return null;
    const [statement] = parsed;
    if (statement === undefined || !('SelectStmt' in statement)) return null;
    return statement.SelectStmt.sortClause?.[0] ?? null;
  }
}
