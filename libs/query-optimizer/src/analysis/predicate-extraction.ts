import { type A_Expr, type BoolExpr, type Node, type SubLink } from 'libpg-query';

import { type Collector } from './collector.js';
import { comparison, commute, rowComparison, STRICT_OPERATORS, type Comparison } from './comparison.js';
import { operandOf } from './operand.js';
import { type ColumnUse, type Predicate } from './predicate.js';
import { expressionColumn, type RangeItem, type Scope } from './scope.js';

interface Place {
  readonly scope: Scope;
  readonly clause: Predicate['clause'];
  /** The items whose rows the condition drops when it is not true. */
  readonly decided: readonly RangeItem[];
}

/** Takes a condition apart into one predicate per column. */
export class PredicateExtraction {
  constructor(private readonly found: Collector) {}

  extract(node: Node, place: Place): void {
    if ('BoolExpr' in node) this.#bool(node.BoolExpr, place);
    else if ('A_Expr' in node) this.#expression(node.A_Expr, place);
    else if ('SubLink' in node) this.#subLink(node.SubLink, place);
    else if ('NullTest' in node) {
      const operator = node.NullTest.nulltesttype === 'IS_NULL' ? 'is null' : 'is not null';
      this.#test(node.NullTest.arg, operator, place);
    } else if ('BooleanTest' in node) {
      const operator = (node.BooleanTest.booltesttype ?? '').toLowerCase().replaceAll('_', ' ');
      this.#test(node.BooleanTest.arg, operator, place);
    } else if ('ColumnRef' in node) this.#test(node, 'is true', place);
  }

  /** `USING (a, b)` is `left.a = right.a AND left.b = right.b`. */
  using(
    names: readonly string[],
    left: readonly RangeItem[],
    right: readonly RangeItem[],
    block: number,
    decided: readonly RangeItem[],
  ): void {
    const scopeOf = (items: readonly RangeItem[]): Scope => ({ block, items, parent: null, ctes: new Set() });
    for (const name of names) {
      const field: Node = { ColumnRef: { fields: [{ String: { sval: name } }] } };
      const [one, other] = [expressionColumn(field, scopeOf(left)), expressionColumn(field, scopeOf(right))];
      if (one === null || other === null) continue;
      this.found.columns.push(one, other);
      const place: Place = { scope: scopeOf([...left, ...right]), clause: 'using', decided };
      this.#add(one, { operator: '=', operand: { kind: 'column', column: other } }, place);
      this.#add(other, { operator: '=', operand: { kind: 'column', column: one } }, place);
    }
  }

  #bool({ boolop, args }: BoolExpr, place: Place): void {
    const [only] = args ?? [];
    if (boolop === 'NOT_EXPR' && only !== undefined && 'ColumnRef' in only) {
      this.#test(only, 'is false', place);
      return;
    }
    const inside = boolop === 'AND_EXPR' ? place : { ...place, decided: [] };
    for (const it of args ?? []) this.extract(it, inside);
  }

  #expression(expression: A_Expr, place: Place): void {
    const { lexpr, rexpr } = expression;
    if (lexpr !== undefined && rexpr !== undefined && 'RowExpr' in lexpr && 'RowExpr' in rexpr) {
      for (const it of rowComparison(expression, lexpr.RowExpr, rexpr.RowExpr)) this.#expression(it, place);
      return;
    }
    const found = comparison(expression, (node) => expressionColumn(node, place.scope));
    if (found === null) return;
    const left = lexpr === undefined ? null : expressionColumn(lexpr, place.scope);
    if (left !== null) this.#add(left, found, place);
    const turned = expression.kind === 'AEXPR_OP' ? commute(found.operator) : null;
    const right = rexpr === undefined || turned === null ? null : expressionColumn(rexpr, place.scope);
    if (right === null || turned === null) return;
    const operand = operandOf(lexpr, (node) => expressionColumn(node, place.scope));
    this.#add(right, { operator: turned, operand }, place);
  }

  #subLink({ subLinkType, testexpr, operName }: SubLink, place: Place): void {
    if (subLinkType !== 'ANY_SUBLINK' || testexpr === undefined || operName !== undefined) return;
    const column = expressionColumn(testexpr, place.scope);
    if (column !== null) this.#add(column, { operator: 'in', operand: { kind: 'subquery' } }, place);
  }

  #test(node: Node | undefined, operator: string, place: Place): void {
    const column = node === undefined ? null : expressionColumn(node, place.scope);
    if (column !== null) this.#add(column, { operator, operand: { kind: 'none' } }, place);
  }

  #add(column: ColumnUse, { operator, operand }: Comparison, place: Place): void {
    const mentioned = new Set([
      column.reference,
      ...column.scopes.slice(0, 1).flatMap((it) => it.references),
    ]);
    // A condition that a missing row may satisfy does not drop it: `left join r … where r.id is null`.
    const isStrict = STRICT_OPERATORS.has(operator) && column.expression === null;
    const decides = place.decided.flatMap(({ reference, nullable }) =>
      reference !== null && mentioned.has(reference) && (isStrict || !nullable) ? [reference] : [],
    );
    const { block } = place.scope;
    const required = decides.length > 0 && this.found.block(block).role === 'main';
    this.found.predicates.push({ block, clause: place.clause, column, operator, operand, decides, required });
  }
}
