import { type FuncCall, type Node } from 'libpg-query';

import { type Collector } from './collector.js';
import { columnUse, type Scope } from './scope.js';
import { isBranch, nameOf, stringsOf } from './tree.js';

/** Walks a query inside an expression; given by the query walk, which in turn walks expressions. */
export type SubqueryWalk = (query: Node, scope: Scope) => void;

const VALUE_FUNCTION_PREFIX = 'SVFOP_';

/**
 * Finds what lies anywhere in an expression: functions, parameters, columns, operators, subqueries. It goes through
 * every field of every node, so that a kind of expression of a coming grammar is not skipped.
 */
export class ExpressionWalk {
  constructor(
    private readonly found: Collector,
    private readonly walkSubquery: SubqueryWalk,
  ) {}

  walk(value: unknown, scope: Scope): void {
    if (Array.isArray(value)) {
      for (const it of value) this.walk(it, scope);
      return;
    }
    if (!isBranch(value)) return;
    for (const [type, field] of Object.entries(value)) this.#visit(type, field, value, scope);
  }

  #visit(type: string, field: unknown, holder: object, scope: Scope): void {
    if (!isBranch(field)) {
      this.walk(field, scope);
      return;
    }
    switch (type) {
      case 'SelectStmt':
        this.walkSubquery(holder as Node, scope);
        return;
      case 'ColumnRef':
        this.#column(field.fields as Node[], scope);
        return;
      case 'FuncCall':
        this.#call(field, scope);
        break;
      case 'ParamRef':
        this.found.parameters.add(typeof field.number === 'number' ? field.number : 0);
        return;
      case 'SQLValueFunction':
        this.#valueFunction(String(field.op));
        return;
      case 'A_Expr':
      case 'SubLink':
        this.#operator((field.name ?? field.operName) as Node[] | undefined);
        break;
      case 'A_Indirection':
        for (const it of stringsOf(field.indirection as Node[])) this.found.columnNames.add(it);
        break;
      // JSON_ARRAY(SELECT …) holds its query without a SubLink.
      case 'JsonArrayQueryConstructor':
        break;
    }
    this.walk(field, scope);
  }

  #column(fields: readonly Node[], scope: Scope): void {
    const use = columnUse(fields, scope);
    if (use === null) return;
    this.found.columns.push(use);
    this.found.columnNames.add(use.name);
  }

  #call(call: FuncCall, scope: Scope): void {
    const name = nameOf(stringsOf(call.funcname));
    this.found.addFunction(name, call.agg_star === true ? 0 : (call.args?.length ?? 0));
    const isAggregate =
      call.agg_star ?? call.agg_distinct ?? call.agg_within_group ?? AGGREGATES.has(name.name);
    if (isAggregate && call.over === undefined) this.found.block(scope.block).hasAggregates = true;
  }

  #valueFunction(op: string): void {
    this.found.sqlValueFunctions.add(op.slice(VALUE_FUNCTION_PREFIX.length).replace(/_N$/, '').toLowerCase());
  }

  #operator(name: readonly Node[] | undefined): void {
    const parts = stringsOf(name);
    if (parts.length > 0) this.found.operators.add(parts.join('.'));
  }
}

const AGGREGATES = new Set(
  `count sum avg min max array_agg string_agg bool_and bool_or every json_agg jsonb_agg json_object_agg jsonb_object_agg
  stddev stddev_pop stddev_samp variance var_pop var_samp corr any_value bit_and bit_or bit_xor xmlagg range_agg
  range_intersect_agg regr_slope regr_count percentile_cont percentile_disc mode`.split(/\s+/),
);
