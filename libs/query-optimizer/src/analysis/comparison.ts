import { type A_Expr, type Node, type RowExpr } from 'libpg-query';

import { arrayOperandOf, operandOf, type ColumnFinder } from './operand.js';
import { type Operand } from './predicate.js';
import { stringsOf } from './tree.js';

export interface Comparison {
  readonly operator: string;
  readonly operand: Operand;
}

/** Operators that are never true when the column is null. Those of extensions may be anything, so they are not here. */
export const STRICT_OPERATORS: ReadonlySet<string> = new Set(
  `=|<>|<|<=|>|>=|in|not in|any|not any|between|not between|like|not like|ilike|not ilike|similar|not similar|~|~*|!~|!~*
  |is not null|is true|is false|is not unknown`
    .split('|')
    .map((it) => it.trim()),
);

const COMMUTED: ReadonlyMap<string, string> = new Map([
  ['=', '='],
  ['<>', '<>'],
  ['<', '>'],
  ['>', '<'],
  ['<=', '>='],
  ['>=', '<='],
  ['@>', '<@'],
  ['<@', '@>'],
  ['&&', '&&'],
  ['@@', '@@'],
]);

/** The operator with its sides exchanged; null when that is not known. */
export function commute(operator: string): string | null {
  return COMMUTED.get(operator) ?? null;
}

/** What `left <operator> right` asks of its left side; null for what is not a comparison. */
export function comparison({ kind, name, rexpr }: A_Expr, findColumn: ColumnFinder): Comparison | null {
  // `OPERATOR(schema.=)` may be anything.
  const parts = stringsOf(name);
  const symbol = parts.length === 1 ? (parts[0] ?? '') : `operator(${parts.join('.')})`;
  const not = symbol.startsWith('!') || symbol === '<>' ? 'not ' : '';
  const operand = operandOf(rexpr, findColumn);
  switch (kind) {
    case 'AEXPR_OP':
      return { operator: symbol, operand };
    case 'AEXPR_IN':
      return { operator: `${not}in`, operand };
    case 'AEXPR_OP_ANY':
      return quantified(symbol, 'any', arrayOperandOf(rexpr));
    case 'AEXPR_OP_ALL':
      // `<> ALL (…)` is NOT IN.
      return quantified(symbol, symbol === '<>' ? 'any' : 'all', arrayOperandOf(rexpr));
    case 'AEXPR_DISTINCT':
      return { operator: 'is distinct', operand };
    case 'AEXPR_NOT_DISTINCT':
      return { operator: 'is not distinct', operand };
    case 'AEXPR_LIKE':
      return { operator: `${not}like`, operand };
    case 'AEXPR_ILIKE':
      return { operator: `${not}ilike`, operand };
    case 'AEXPR_SIMILAR':
      return { operator: `${not}similar`, operand };
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
      return { operator: 'between', operand };
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return { operator: 'not between', operand };
    default:
      return null;
  }
}

function quantified(symbol: string, quantifier: 'any' | 'all', operand: Operand): Comparison {
  if (quantifier === 'any' && symbol === '=') return { operator: 'any', operand };
  if (quantifier === 'any' && symbol === '<>') return { operator: 'not any', operand };
  return { operator: `${symbol} ${quantifier}`, operand };
}

/** `(a, b) = (1, 2)` as two equalities; of `(a, b) > (1, 2)` what it says of the first column: `a >= 1`. */
export function rowComparison(expression: A_Expr, left: RowExpr, right: RowExpr): A_Expr[] {
  const [operator] = stringsOf(expression.name);
  if (expression.kind !== 'AEXPR_OP' || operator === undefined) return [];
  const pairs = (left.args ?? []).map((it, i) => pair(operator, it, right.args?.[i]));
  if (operator === '=') return pairs;
  const widened = `${operator.charAt(0)}=`;
  return widened === '<=' || widened === '>='
    ? operator === '<>'
      ? []
      : [pair(widened, left.args?.[0], right.args?.[0])]
    : [];
}

function pair(operator: string, lexpr: Node | undefined, rexpr: Node | undefined): A_Expr {
  return {
    kind: 'AEXPR_OP',
    name: [{ String: { sval: operator } }],
    ...(lexpr === undefined ? {} : { lexpr }),
    ...(rexpr === undefined ? {} : { rexpr }),
  };
}
