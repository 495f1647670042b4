import { type A_Const, type Node, type TypeName } from 'libpg-query';

import { expressionText } from './expression-text.js';
import { type ColumnUse, type ConstantOperand, type Operand } from './predicate.js';
import { stringsOf } from './tree.js';

/** Finds the column that a node is, or null. */
export type ColumnFinder = (node: Node) => ColumnUse | null;

const NO_COLUMNS: ColumnFinder = () => null;

/** What the node is as the other side of a comparison. */
export function operandOf(node: Node | undefined, findColumn: ColumnFinder = NO_COLUMNS): Operand {
  if (node === undefined) return { kind: 'none' };
  const plain = valueOf(node);
  if (plain !== null) return plain;
  if ('SubLink' in node) return { kind: 'subquery' };
  if ('List' in node) return { kind: 'list', items: (node.List.items ?? []).map((it) => operandOf(it)) };
  const column = findColumn(node);
  if (column !== null) return { kind: 'column', column };
  return { kind: 'expression', text: expressionText(node) };
}

/** The right side of `= ANY(…)`. */
export function arrayOperandOf(node: Node | undefined): Operand {
  if (node === undefined) return { kind: 'none' };
  if ('A_ArrayExpr' in node) {
    return { kind: 'list', items: (node.A_ArrayExpr.elements ?? []).map((it) => operandOf(it)) };
  }
  const value = valueOf(node);
  if (value?.kind === 'parameter') return { ...value, kind: 'parameterArray' };
  return 'SubLink' in node ? { kind: 'subquery' } : { kind: 'expression', text: expressionText(node) };
}

function valueOf(node: Node): Operand | null {
  if ('ParamRef' in node) return { kind: 'parameter', number: node.ParamRef.number ?? 0, castTo: null };
  if ('A_Const' in node) return constantOf(node.A_Const);
  if (!('TypeCast' in node) || node.TypeCast.arg === undefined) return null;
  const value = valueOf(node.TypeCast.arg);
  if (value?.kind !== 'parameter' && value?.kind !== 'constant') return null;
  // A cast of a cast may round or cut on its way: nothing can be said about the value.
  return { ...value, castTo: value.castTo === null ? castName(node.TypeCast.typeName) : '?' };
}

function constantOf(constant: A_Const): ConstantOperand {
  const made = (type: ConstantOperand['type'], value: ConstantOperand['value']): ConstantOperand => ({
    kind: 'constant',
    value,
    type,
    castTo: null,
  });
  if (constant.isnull === true) return made('null', null);
  // Zero and false are left out of the tree by the protobuf encoding, their holders are not.
  if (constant.ival !== undefined) return made('integer', String(constant.ival.ival ?? 0));
  if (constant.fval !== undefined) return made('decimal', constant.fval.fval ?? '0');
  if (constant.boolval !== undefined) return made('boolean', constant.boolval.boolval ?? false);
  if (constant.bsval !== undefined) return made('bits', constant.bsval.bsval ?? '');
  return made('text', constant.sval?.sval ?? '');
}

/** `uuid`, `int4`, `uuid[]`; `?` when the type has a length, which may cut the value. */
export function castName(type: TypeName | undefined): string {
  const names = stringsOf(type?.names);
  const name = (names[0] === 'pg_catalog' ? names.slice(1) : names).join('.');
  if ((type?.typmods?.length ?? 0) > 0 || type?.setof === true) return '?';
  return (type?.arrayBounds?.length ?? 0) > 0 ? `${name}[]` : name;
}
