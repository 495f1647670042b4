import { type Operand } from '../analysis/predicate.js';
import { type Statement } from '../analysis/statement.js';

/** One run of a statement. */
export interface Call {
  readonly statement: Statement;
  readonly parameters: readonly unknown[];
  /** The transaction that it ran in; undefined outside of any. */
  readonly transaction: object | undefined;
  rowCount: number;
  durationMs: number;
}

/** The column that a loop goes over. */
export interface LoopKey {
  readonly table: string;
  readonly column: string;
  /** Of the parameter; null when the values stand in the text. */
  readonly parameter: number | null;
  /** One a call. */
  readonly values: readonly unknown[];
}

/**
 * What runs the same statement for one value of a column after the other could have asked for all values at once. What
 * looks alike but is not: the next page, another try, a probe for a free name, a loop of transactions, a lock.
 */
export function loopKey(calls: readonly Call[]): LoopKey | null {
  const [first] = calls;
  if (!first || first.statement.kind !== 'select' || first.statement.locksRows) return null;
  if (isPaging(calls) || isProbing(calls) || isTransactionEach(calls)) return null;
  return varyingKey(calls);
}

/** The condition `column = value` that every row of the result has to meet, with another value each time. */
function varyingKey(calls: readonly Call[]): LoopKey | null {
  const { predicates = [], references = [] } = calls[0]?.statement ?? {};
  for (const [index, { column, operand, required }] of predicates.entries()) {
    if (!required || column.expression !== null) continue;
    const values = calls.map((it) => single(it, index));
    if (values.includes(undefined) || distinct(values) < Math.ceil(calls.length / 2)) continue;
    const table = references[column.reference ?? 0]?.relation.name;
    if (table === undefined) continue;
    return {
      table,
      column: column.name,
      parameter: operand.kind === 'parameter' ? operand.number : null,
      values,
    };
  }
  return null;
}

/** The value that the predicate asks for, when it is one: `= $1`, `in ($1)`, `= any('{1}')`. */
function single(call: Call, index: number): unknown {
  const { operator, operand } = call.statement.predicates[index] ?? {};
  if (operator === '=') return valueOf(call, operand);
  if (operator === 'in' && operand?.kind === 'list' && operand.items.length === 1) {
    return valueOf(call, operand.items[0]);
  }
  if (operator !== 'any' || operand?.kind !== 'parameterArray') return undefined;
  const list = call.parameters[operand.number - 1];
  return Array.isArray(list) && list.length === 1 ? (list[0] as unknown) : undefined;
}

function valueOf({ parameters }: Call, operand: Operand | undefined): unknown {
  if (operand?.kind === 'parameter') return parameters[operand.number - 1];
  return operand?.kind === 'constant' ? operand.value : undefined;
}

/** Pages differ in where they begin: OFFSET, or a comparison with the last row of the page before. */
function isPaging(calls: readonly Call[]): boolean {
  const [first] = calls;
  if (!first) return false;
  const { blocks, predicates } = first.statement;
  const offset = blocks[0]?.offset;
  if (offset && differs(calls, (it) => valueOf(it, it.statement.blocks[0]?.offset ?? undefined))) return true;
  if (!blocks[0]?.limit) return false;
  return predicates.some(
    ({ operator, required }, index) =>
      required &&
      ['<', '>', '<=', '>='].includes(operator) &&
      differs(calls, (it) => valueOf(it, it.statement.predicates[index]?.operand)),
  );
}

/** Looks for the first value that is free, or taken: only the last answer is another. */
function isProbing(calls: readonly Call[]): boolean {
  const found = calls.map((it) => it.rowCount > 0);
  const last = found.at(-1);
  return found.length > 1 && found.slice(0, -1).every((it) => it !== last);
}

/** Each on its own, so that one that fails takes no other with it: a batch of work, not of reading. */
function isTransactionEach(calls: readonly Call[]): boolean {
  const transactions = new Set(calls.map((it) => it.transaction));
  return !transactions.has(undefined) && transactions.size === calls.length;
}

function differs(calls: readonly Call[], of: (call: Call) => unknown): boolean {
  return distinct(calls.map(of)) > 1;
}

function distinct(values: readonly unknown[]): number {
  return new Set(values.map((it) => JSON.stringify(it))).size;
}
