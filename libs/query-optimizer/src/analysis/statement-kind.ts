import { type Node, type TransactionStmtKind } from 'libpg-query';

import { type StatementKind, type TransactionAction } from './statement.js';
import { isBranch } from './tree.js';

const KINDS: Readonly<Record<string, StatementKind>> = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
  TruncateStmt: 'truncate',
  CallStmt: 'call',
  DoStmt: 'do',
  TransactionStmt: 'transaction',
  VariableSetStmt: 'set',
  ConstraintsSetStmt: 'set',
  VariableShowStmt: 'show',
  DiscardStmt: 'discard',
  ListenStmt: 'listen',
  UnlistenStmt: 'unlisten',
  NotifyStmt: 'notify',
  ExplainStmt: 'explain',
  PrepareStmt: 'prepare',
  ExecuteStmt: 'execute',
  DeallocateStmt: 'deallocate',
  DeclareCursorStmt: 'declare cursor',
  FetchStmt: 'fetch',
  ClosePortalStmt: 'close',
  VacuumStmt: 'vacuum',
  LockStmt: 'lock',
  RefreshMatViewStmt: 'refresh',
  CheckPointStmt: 'maintenance',
  ReindexStmt: 'maintenance',
  ClusterStmt: 'maintenance',
  LoadStmt: 'maintenance',
};

const TRANSACTIONS: Readonly<Record<TransactionStmtKind, TransactionAction>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_ROLLBACK_TO: 'rollback to',
  TRANS_STMT_PREPARE: 'prepare',
  TRANS_STMT_COMMIT_PREPARED: 'commit prepared',
  TRANS_STMT_ROLLBACK_PREPARED: 'rollback prepared',
};

/** The kind by the tree. Everything that is not named here changes the schema: that is the safe guess. */
export function kindOf(node: Node): StatementKind {
  const [type] = Object.keys(node);
  if ('CopyStmt' in node) return node.CopyStmt.is_from === true ? 'copy from' : 'copy to';
  if ('SelectStmt' in node && intoOf(node.SelectStmt) !== null) return 'ddl';
  return KINDS[type ?? ''] ?? 'ddl';
}

/** `SELECT … INTO t`, also in the first arm of a UNION. */
function intoOf(select: unknown): unknown {
  for (let arm = select; isBranch(arm); arm = arm.larg)
    if (arm.intoClause !== undefined) return arm.intoClause;
  return null;
}

export function transactionOf(node: Node): TransactionAction | null {
  if (!('TransactionStmt' in node)) return null;
  return TRANSACTIONS[node.TransactionStmt.kind ?? 'TRANS_STMT_BEGIN'];
}

/** The statement inside EXPLAIN, PREPARE, DECLARE or COPY (…) TO. */
export function innerQuery(node: Node): Node | null {
  if ('ExplainStmt' in node) return node.ExplainStmt.query ?? null;
  if ('PrepareStmt' in node) return node.PrepareStmt.query ?? null;
  if ('DeclareCursorStmt' in node) return node.DeclareCursorStmt.query ?? null;
  if ('CopyStmt' in node) return node.CopyStmt.query ?? null;
  return null;
}

/** False for EXPLAIN without ANALYZE and for PREPARE, which only plan. `ANALYZE off` counts as on: the safe guess. */
export function executesInner(node: Node): boolean {
  if ('PrepareStmt' in node) return false;
  if (!('ExplainStmt' in node)) return innerQuery(node) !== null;
  return (node.ExplainStmt.options ?? []).some((it) => 'DefElem' in it && it.DefElem.defname === 'analyze');
}
