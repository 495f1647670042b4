import { type WriteOperation } from '../analysis/statement.js';

/** Bits of pg_trigger.tgtype (src/include/catalog/pg_trigger.h). */
const ROW = 1;
const BEFORE = 2;
const INSTEAD = 64;
const OPERATIONS: Readonly<Partial<Record<WriteOperation, number>>> = {
  insert: 4,
  delete: 8,
  update: 16,
  truncate: 32,
};

export function firesOn(type: number, operation: WriteOperation): boolean {
  return (type & (OPERATIONS[operation] ?? 0)) !== 0;
}

/** A trigger that may change the row before it is stored. */
export function changesRow(type: number): boolean {
  return (type & ROW) !== 0 && (type & (BEFORE | INSTEAD)) !== 0;
}

/** pg_rewrite.ev_type. TRUNCATE and COPY know no rules; COPY counts as an INSERT here, which is the safe side. */
const RULE_EVENTS: Readonly<Partial<Record<WriteOperation, string>>> = {
  update: '2',
  insert: '3',
  delete: '4',
};

export function ruleActsOn(event: string, operation: WriteOperation): boolean {
  return RULE_EVENTS[operation] === event;
}
