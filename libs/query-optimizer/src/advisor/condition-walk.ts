import { type A_Expr, type BoolExpr, type Node } from 'libpg-query';

import { commute } from '../analysis/comparison.js';
import { expressionText } from '../analysis/expression-text.js';
import { stringsOf } from '../analysis/tree.js';
import { aliasesBelow, keyExpression } from './key-expression.js';
import { type TableFacts } from './table-facts.js';
import { type Comparison } from './table-use.js';

export interface FoundComparison {
  readonly alias: string;
  readonly comparison: Comparison;
}

/** Takes a condition of a plan apart: what it asks of which table. */
export class ConditionWalk {
  readonly #found: FoundComparison[] = [];

  constructor(private readonly tableOf: (alias: string) => TableFacts | undefined) {}

  walk(node: Node): readonly FoundComparison[] {
    this.#visit(node, false);
    return this.#found;
  }

  #visit(node: Node, isAlternative: boolean): void {
    if ('BoolExpr' in node) this.#bool(node.BoolExpr, isAlternative);
    else if ('A_Expr' in node) this.#comparison(node.A_Expr, isAlternative);
    else if ('NullTest' in node && node.NullTest.arg !== undefined) {
      const operator = node.NullTest.nulltesttype === 'IS_NULL' ? 'is null' : 'is not null';
      this.#add(node.NullTest.arg, operator, null, isAlternative);
    } else if ('BooleanTest' in node && node.BooleanTest.arg !== undefined) {
      const test = (node.BooleanTest.booltesttype ?? '').toLowerCase().replaceAll('_', ' ');
      if (test === 'is true' || test === 'is false')
        this.#add(node.BooleanTest.arg, test, null, isAlternative);
    } else if ('ColumnRef' in node) this.#add(node, 'is true', null, isAlternative);
  }

  #bool({ boolop, args }: BoolExpr, isAlternative: boolean): void {
    const [only] = args ?? [];
    if (boolop === 'NOT_EXPR') {
      if (only !== undefined && 'ColumnRef' in only) this.#add(only, 'is false', null, isAlternative);
      return;
    }
    for (const it of args ?? []) this.#visit(it, isAlternative || boolop === 'OR_EXPR');
  }

  #comparison({ kind, name, lexpr, rexpr }: A_Expr, isAlternative: boolean): void {
    const [symbol, ...more] = stringsOf(name);
    if (symbol === undefined || more.length > 0 || lexpr === undefined || rexpr === undefined) return;
    if (kind === 'AEXPR_OP_ANY') {
      this.#add(lexpr, `${symbol} any`, rexpr, isAlternative);
      return;
    }
    if (kind !== 'AEXPR_OP') return;
    this.#add(lexpr, symbol, rexpr, isAlternative);
    const turned = commute(symbol);
    if (turned !== null) this.#add(rexpr, turned, lexpr, isAlternative);
  }

  #add(side: Node, operator: string, other: Node | null, isAlternative: boolean): void {
    const [alias, ...more] = aliasesBelow(side);
    const table = alias === undefined ? undefined : this.tableOf(alias);
    if (alias === undefined || more.length > 0 || table === undefined) return;
    const partners = other === null ? [] : aliasesBelow(other);
    const key = keyExpression(side, table.columns);
    if (key === null || partners.includes(alias)) return;
    const constant = other === null || partners.length > 0 ? null : expressionText(other);
    this.#found.push({ alias, comparison: { key, operator, partners, constant, isAlternative } });
  }
}
