import { type InsertStmt, type MergeWhenClause, type Node } from 'libpg-query';

import { operandOf } from './operand.js';
import { type Operand } from './predicate.js';
import { type WriteOperation } from './statement.js';

/** Names of the columns in an INSERT's column list or in SET. */
export function columnsOf(targets: readonly Node[] | undefined): string[] {
  return (targets ?? []).flatMap((it) => ('ResTarget' in it ? (it.ResTarget.name ?? []) : []));
}

/** Per column the values over all rows of VALUES; a column with a value that is no parameter or constant is left out. */
export function assignedByValues({
  cols,
  selectStmt,
  override,
}: InsertStmt): ReadonlyMap<string, readonly Operand[]> {
  const assigned = new Map<string, readonly Operand[]>();
  if (selectStmt === undefined || !('SelectStmt' in selectStmt)) return assigned;
  // An identity column then takes its own next value instead of the one that is given.
  if (override === 'OVERRIDING_USER_VALUE') return assigned;
  const rows = (selectStmt.SelectStmt.valuesLists ?? []).flatMap((it) =>
    'List' in it ? [it.List.items ?? []] : [],
  );
  if (rows.length === 0) return assigned;
  for (const [index, target] of (cols ?? []).entries()) {
    const [name] = columnsOf([target]);
    const values = rows.map((row) => operandOf(row[index]));
    if (name !== undefined && isWhole(target) && values.every(isValue)) assigned.set(name, values);
  }
  return assigned;
}

/** What SET gives each column, where that is a parameter or a constant. */
export function assignedBySet(targets: readonly Node[] | undefined): ReadonlyMap<string, readonly Operand[]> {
  const assigned = new Map<string, readonly Operand[]>();
  for (const target of targets ?? []) {
    const [name] = columnsOf([target]);
    const value = 'ResTarget' in target ? operandOf(target.ResTarget.val) : undefined;
    if (name !== undefined && value !== undefined && isWhole(target) && isValue(value))
      assigned.set(name, [value]);
  }
  return assigned;
}

/** `SET tags[1] = …` and `SET address.city = …` change a part: the column's value is not known then. */
function isWhole(target: Node): boolean {
  return 'ResTarget' in target && (target.ResTarget.indirection?.length ?? 0) === 0;
}

function isValue(operand: Operand): boolean {
  return operand.kind === 'parameter' || operand.kind === 'constant';
}

export function mergeOperations(clauses: readonly MergeWhenClause[]): WriteOperation[] {
  const commands = new Set(clauses.map((it) => it.commandType));
  const operations: WriteOperation[] = [];
  if (commands.has('CMD_INSERT')) operations.push('insert');
  if (commands.has('CMD_UPDATE')) operations.push('update');
  if (commands.has('CMD_DELETE')) operations.push('delete');
  return operations;
}
