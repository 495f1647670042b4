import { type Node, type SortBy } from 'libpg-query';

import { isBranch, stringOf } from '../analysis/tree.js';
import { ConditionWalk } from './condition-walk.js';
import { aliasesBelow, keyExpression } from './key-expression.js';
import { type PlanExpressions } from './plan-expressions.js';
import { conditionsOf, keysOf, nodesOf, type PlanNode } from './plan-node.js';
import { type TableCatalogue, type TableFacts } from './table-facts.js';
import { type Comparison, type OrderKey, type TableUse } from './table-use.js';

/** Of a single table EXPLAIN prints the output without qualifiers. */
const ONLY = '';

interface Use {
  readonly alias: string;
  readonly table: TableFacts;
  readonly comparisons: Comparison[];
  readonly orders: OrderKey[][];
  readonly needed: Set<string>;
  needsAll: boolean;
}

/**
 * Reads out of a plan what the statement asks of each table. The plan is the statement as the planner understood it: views,
 * CTEs and subqueries are flattened, names resolved, constants carried over equal columns, partitions pruned.
 */
export class PlanUses {
  readonly #uses = new Map<string, Use>();

  private constructor(private readonly expressions: PlanExpressions) {}

  static of(plan: PlanNode, tables: TableCatalogue, expressions: PlanExpressions): readonly TableUse[] {
    const found = new PlanUses(expressions);
    for (const it of nodesOf(plan)) found.#addScan(it, tables);
    for (const it of nodesOf(plan)) found.#read(it, it === plan);
    return [...found.#uses.values()].map(({ needed, needsAll, ...rest }) => ({
      ...rest,
      neededColumns: needsAll ? null : needed,
    }));
  }

  #addScan({ Alias: alias, Schema: schema, 'Relation Name': name }: PlanNode, tables: TableCatalogue): void {
    if (alias === undefined || schema === undefined || name === undefined || this.#uses.has(alias)) return;
    const table = tables.named(schema, name);
    if (table === undefined) return;
    this.#uses.set(alias, {
      alias,
      table,
      comparisons: [],
      orders: [],
      needed: new Set(),
      needsAll: false,
    });
  }

  #read(node: PlanNode, isTop: boolean): void {
    const isHaving = node['Node Type'] === 'Aggregate' || node['Node Type'] === 'Group';
    for (const text of conditionsOf(node)) this.#condition(text, isHaving);
    this.#order(keysOf(node));
    const isScan = node['Relation Name'] !== undefined;
    // A scan below others may hand out whole rows because that is cheaper; what is used of them shows above.
    if (isTop || !isScan || !this.#isWholeRow(node)) for (const it of node.Output ?? []) this.#output(it);
  }

  #isWholeRow({ Alias: alias, Output: output }: PlanNode): boolean {
    const use = this.#uses.get(alias ?? '');
    return use !== undefined && (output?.length ?? 0) >= use.table.columns.size;
  }

  #condition(text: string, isHaving: boolean): void {
    const node = sortNode(this.expressions.parse(text));
    if (node === null) return;
    this.#need(node);
    if (isHaving) return;
    for (const { alias, comparison } of new ConditionWalk((it) => this.#single(it)).walk(node)) {
      for (const use of this.#named(alias)) use.comparisons.push(comparison);
    }
  }

  #output(text: string): void {
    const node = sortNode(this.expressions.parse(text));
    if (node === null) return;
    this.#need(node);
    // min and max take the end of an index.
    if (!('FuncCall' in node)) return;
    const name = stringOf(node.FuncCall.funcname?.at(-1));
    const [argument] = node.FuncCall.args ?? [];
    if (argument === undefined || (name !== 'min' && name !== 'max')) return;
    this.#addOrder([{ node: argument, direction: name === 'min' ? 'asc' : 'desc', nulls: null }]);
  }

  #order(keys: readonly string[]): void {
    const parsed = keys.map((it) => this.expressions.parse(it));
    for (const it of parsed) if (it !== null) this.#need(it);
    const order = parsed.flatMap((it) => (it !== null && 'SortBy' in it ? [it.SortBy] : []));
    if (order.length < keys.length) return;
    this.#addOrder(order.flatMap(sortTerm));
  }

  #addOrder(terms: readonly SortTerm[]): void {
    const [first] = terms;
    const alias = first === undefined ? null : (aliasesBelow(first.node)[0] ?? ONLY);
    for (const use of alias === null ? [] : this.#named(alias)) {
      const order: OrderKey[] = [];
      for (const { node, direction, nulls } of terms) {
        const aliases = aliasesBelow(node);
        const key = aliases.every((it) => it === alias) ? keyExpression(node, use.table.columns) : null;
        if (key === null) break;
        order.push({ key, direction, nulls });
      }
      if (order.length > 0) use.orders.push(order);
    }
  }

  #need(value: unknown): void {
    if (Array.isArray(value)) for (const it of value) this.#need(it);
    else if (isBranch(value)) {
      if (!isBranch(value.ColumnRef)) {
        for (const it of Object.values(value)) this.#need(it);
        return;
      }
      const fields = value.ColumnRef.fields as Node[];
      const column = stringOf(fields.at(-1));
      for (const use of this.#named(stringOf(fields.at(-2)) ?? ONLY)) {
        if (column === null) use.needsAll = true;
        else use.needed.add(column);
      }
    }
  }

  #single(alias: string): TableFacts | undefined {
    return this.#named(alias)[0]?.table;
  }

  /** Above an Append its children are called as their parent: `p` for the scans `p_1`, `p_2`. */
  #named(alias: string): readonly Use[] {
    if (alias === ONLY) return this.#uses.size === 1 ? [...this.#uses.values()] : [];
    const use = this.#uses.get(alias);
    if (use !== undefined) return [use];
    return [...this.#uses.values()].filter(
      (it) => it.alias.startsWith(`${alias}_`) && /^\d+$/.test(it.alias.slice(alias.length + 1)),
    );
  }
}

interface SortTerm {
  readonly node: Node;
  readonly direction: OrderKey['direction'];
  readonly nulls: OrderKey['nulls'];
}

function sortTerm({ node, sortby_dir, sortby_nulls }: SortBy): SortTerm[] {
  if (node === undefined) return [];
  const nulls =
    sortby_nulls === 'SORTBY_NULLS_FIRST' ? 'first' : sortby_nulls === 'SORTBY_NULLS_LAST' ? 'last' : null;
  return [{ node, direction: sortby_dir === 'SORTBY_DESC' ? 'desc' : 'asc', nulls }];
}

function sortNode(node: Node | null): Node | null {
  return node !== null && 'SortBy' in node ? (node.SortBy.node ?? null) : null;
}
