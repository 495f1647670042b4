import { type Node, type SelectStmt, type SortBy } from 'libpg-query';

import { type Collector } from './collector.js';
import { expressionText } from './expression-text.js';
import { type ColumnUse, type SortKey } from './predicate.js';
import { type PredicateExtraction } from './predicate-extraction.js';
import { expressionColumn, findItem, type Scope } from './scope.js';
import { stringOf } from './tree.js';

export interface ResultContext {
  readonly found: Collector;
  readonly predicates: PredicateExtraction;
  walkExpression(value: unknown, scope: Scope): void;
}

/** SELECT list, DISTINCT, GROUP BY, HAVING, ORDER BY, windows. */
export class ResultClauses {
  constructor(private readonly context: ResultContext) {}

  walk(select: SelectStmt, scope: Scope): void {
    const { found } = this.context;
    this.targets(select.targetList, scope);
    if (select.distinctClause !== undefined) found.block(scope.block).isDistinct = true;
    if (select.groupClause !== undefined) found.block(scope.block).hasAggregates = true;
    for (const it of select.groupClause ?? []) this.#group(it, select, scope);
    if (select.havingClause !== undefined) {
      this.context.predicates.extract(select.havingClause, { scope, clause: 'having', decided: [] });
    }
    const rest = [select.distinctClause, select.groupClause, select.havingClause, select.windowClause];
    this.context.walkExpression(rest, scope);
    this.order(select, scope);
  }

  targets(nodes: readonly Node[] | undefined, scope: Scope): void {
    for (const it of nodes ?? []) {
      const value = 'ResTarget' in it ? it.ResTarget.val : undefined;
      if (value !== undefined && 'ColumnRef' in value)
        this.#column(value.ColumnRef.fields ?? [], value, scope);
      this.context.walkExpression(it, scope);
    }
  }

  order(select: SelectStmt, scope: Scope): void {
    for (const it of select.sortClause ?? []) {
      if (!('SortBy' in it) || it.SortBy.node === undefined) continue;
      const node = this.#target(it.SortBy.node, select, scope);
      this.context.found.orderBy.push({
        block: scope.block,
        ...this.#described(node, scope),
        ...directions(it.SortBy),
      });
    }
    this.context.walkExpression(select.sortClause, scope);
  }

  #column(fields: readonly Node[], value: Node, scope: Scope): void {
    const { selected } = this.context.found;
    if (stringOf(fields.at(-1)) !== null) {
      const column = expressionColumn(value, scope);
      selected.push({ block: scope.block, column, star: false, starReference: null });
      return;
    }
    const qualifier = fields.slice(0, -1).map((it) => stringOf(it) ?? '');
    const starReference = qualifier.length === 0 ? null : (findItem(qualifier, scope)?.reference ?? null);
    selected.push({ block: scope.block, column: null, star: true, starReference });
  }

  #group(node: Node, select: SelectStmt, scope: Scope): void {
    if ('GroupingSet' in node) {
      for (const it of node.GroupingSet.content ?? []) this.#group(it, select, scope);
      return;
    }
    const target = this.#target(node, select, scope);
    this.context.found.groupBy.push({ block: scope.block, ...this.#described(target, scope) });
  }

  /** `ORDER BY 2` and `ORDER BY label` mean an item of the SELECT list. */
  #target(node: Node, { targetList }: SelectStmt, scope: Scope): Node {
    if ('A_Const' in node && node.A_Const.ival !== undefined) {
      return valueOf(targetList?.[(node.A_Const.ival.ival ?? 0) - 1]) ?? node;
    }
    if (!('ColumnRef' in node) || node.ColumnRef.fields?.length !== 1) return node;
    const label = stringOf(node.ColumnRef.fields[0]);
    const found = (targetList ?? []).find((it) => 'ResTarget' in it && it.ResTarget.name === label);
    return scope.items.length === 0 && found === undefined ? node : (valueOf(found) ?? node);
  }

  #described(node: Node, scope: Scope): { column: ColumnUse | null; text: string | null } {
    return { column: expressionColumn(node, scope), text: expressionText(node) };
  }
}

function valueOf(node: Node | undefined): Node | undefined {
  return node !== undefined && 'ResTarget' in node ? node.ResTarget.val : undefined;
}

function directions({ sortby_dir, sortby_nulls }: SortBy): Pick<SortKey, 'direction' | 'nulls'> {
  return {
    direction: sortby_dir === 'SORTBY_DESC' ? 'desc' : 'asc',
    nulls:
      sortby_nulls === 'SORTBY_NULLS_FIRST' ? 'first' : sortby_nulls === 'SORTBY_NULLS_LAST' ? 'last' : null,
  };
}
