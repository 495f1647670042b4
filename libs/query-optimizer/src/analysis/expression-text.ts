import { type A_Expr, type FuncCall, type Node, type TypeCast } from 'libpg-query';

import { stringOf, stringsOf } from './tree.js';

const PLAIN_IDENTIFIER = /^[a-z_][a-z0-9_]*$/;

/**
 * Writes simple expressions again, without table qualifiers, as an index expression needs them: functions, operators,
 * casts, constants, columns. Null for everything else (never a wrong text).
 */
export function expressionText(node: Node): string | null {
  if ('ColumnRef' in node) return columnText(node.ColumnRef.fields);
  if ('ParamRef' in node) return `$${node.ParamRef.number ?? 0}`;
  if ('A_Const' in node) return constantText(node);
  if ('TypeCast' in node) return castText(node.TypeCast);
  if ('FuncCall' in node) return callText(node.FuncCall);
  if ('CoalesceExpr' in node) return listText('coalesce', node.CoalesceExpr.args);
  if ('A_Expr' in node) return operatorText(node.A_Expr);
  if ('CollateClause' in node) {
    const inner = node.CollateClause.arg === undefined ? null : expressionText(node.CollateClause.arg);
    return inner === null ? null : `(${inner} COLLATE ${dotted(stringsOf(node.CollateClause.collname))})`;
  }
  return null;
}

function columnText(fields: readonly Node[] | undefined): string | null {
  const last = stringOf(fields?.at(-1));
  return last === null ? null : identifierText(last);
}

function constantText(node: Extract<Node, { A_Const: unknown }>): string {
  const { A_Const: it } = node;
  if (it.isnull === true) return 'NULL';
  if (it.ival !== undefined) return String(it.ival.ival ?? 0);
  if (it.fval !== undefined) return it.fval.fval ?? '0';
  if (it.boolval !== undefined) return it.boolval.boolval === true ? 'true' : 'false';
  if (it.bsval !== undefined) return bitsText(it.bsval.bsval ?? 'b');
  return literalText(it.sval?.sval ?? '');
}

/** The parser keeps the notation as the first letter: `b101`, `xff`. */
function bitsText(bits: string): string {
  return `${bits.startsWith('x') ? 'X' : 'B'}'${bits.slice(1)}'`;
}

function literalText(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

function castText({ arg, typeName }: TypeCast): string | null {
  const inner = arg === undefined ? null : expressionText(arg);
  const names = stringsOf(typeName?.names);
  if (inner === null || names.length === 0 || (typeName?.typmods?.length ?? 0) > 0) return null;
  return `(${inner})::${dotted(names)}${(typeName?.arrayBounds?.length ?? 0) > 0 ? '[]' : ''}`;
}

function callText(call: FuncCall): string | null {
  if (call.over ?? call.agg_filter ?? call.agg_order ?? call.agg_within_group ?? call.agg_star) return null;
  if (call.agg_distinct === true || call.func_variadic === true) return null;
  return listText(dotted(stringsOf(call.funcname)), call.args);
}

function listText(name: string, args: readonly Node[] | undefined): string | null {
  const texts = (args ?? []).map((it) => expressionText(it));
  return texts.includes(null) ? null : `${name}(${texts.join(', ')})`;
}

function operatorText({ kind, name, lexpr, rexpr }: A_Expr): string | null {
  const [operator, ...more] = stringsOf(name);
  if (kind !== 'AEXPR_OP' || operator === undefined || more.length > 0 || rexpr === undefined) return null;
  const right = expressionText(rexpr);
  if (lexpr === undefined) return right === null ? null : `(${operator} ${right})`;
  const left = expressionText(lexpr);
  return left === null || right === null ? null : `(${left} ${operator} ${right})`;
}

function dotted(parts: readonly string[]): string {
  return parts.map(identifierText).join('.');
}

function identifierText(name: string): string {
  // Quoting a name that needs none is harmless, but a reserved word without quotes is not: only known shapes stay bare.
  return PLAIN_IDENTIFIER.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

const RESERVED = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
  concurrently constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from
  full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
  localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning
  right select session_user similar some symmetric system_user table tablesample then to trailing true union unique user
  using variadic verbose when where window with between bigint bit boolean char character coalesce dec decimal exists
  extract float greatest grouping inout int integer interval json_array json_arrayagg json_exists json_object
  json_objectagg json_query json_scalar json_serialize json_table json_value least merge_action national nchar none
  normalize nullif numeric out overlay position precision real row setof smallint substring time timestamp treat trim
  values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize
  xmltable`.split(/\s+/),
);
