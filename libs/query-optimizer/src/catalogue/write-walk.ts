import { type TableWrite, type WriteOperation } from '../analysis/statement.js';
import { type ForeignKeyRow } from './catalogue-rows.js';
import { nameOf, type EffectWalk } from './effect-walk.js';
import { type FunctionWalk } from './function-walk.js';
import { findRelation } from './search-path.js';
import { type CatalogueRelation } from './snapshot.js';
import { assignedByTriggers } from './row-triggers.js';
import { firesOn, ruleActsOn } from './trigger-type.js';

interface Write {
  readonly operation: WriteOperation;
  readonly cascade: boolean;
  readonly only: boolean;
  readonly isDirect: boolean;
  /** Columns that an UPDATE gives values; null when it may be any. */
  readonly columns: readonly string[] | null;
}

/** Foreign-key actions that change the referencing table. */
const CHANGING_ACTIONS = new Set(['c', 'n', 'd']);

/** Follows a write into children, foreign keys, triggers, rules and the tables under a view. */
export class WriteWalk {
  readonly #seen = new Set<string>();

  constructor(
    private readonly walk: EffectWalk,
    private readonly functions: FunctionWalk,
  ) {}

  visit(write: TableWrite, path: readonly string[], isDirect: boolean): void {
    const { relation: name, operations, cascade, only, updatedColumns } = write;
    if (operations.includes('ddl')) return;
    const relation = findRelation(this.walk.snapshot, name, path);
    if (relation === undefined) {
      this.walk.effects.unknownWriters.add(`the unknown table ${nameOf(name)}`);
      return;
    }
    const columns = relation.kind === 'view' ? null : updatedColumns;
    for (const operation of operations) {
      this.#write(relation, { operation, cascade, only, isDirect, columns }, path);
    }
  }

  #write(relation: CatalogueRelation, write: Write, path: readonly string[]): void {
    const { operation, isDirect, columns } = write;
    const key = [relation.oid, operation, write.cascade, write.only, isDirect, ...(columns ?? ['*'])].join(
      '\0',
    );
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    for (const { name, event } of this.walk.snapshot.rulesOf(relation.oid)) {
      if (ruleActsOn(event, operation))
        this.walk.effects.unknownWriters.add(`rule ${name} on ${nameOf(relation)}`);
    }
    this.#triggers(relation, operation, path);
    if (relation.kind === 'view') {
      this.#throughView(relation, write, path);
      return;
    }
    this.walk.effects.writes.set(relation.oid, relation);
    if (!isDirect) this.walk.effects.writtenIndirectly.add(relation.oid);
    this.#foreignKeys(relation, write, path);
    // COPY and INSERT into a parent route rows to its partitions, ONLY or not.
    if (write.only && relation.kind !== 'partitioned table') return;
    for (const it of this.walk.snapshot.childrenOf(relation.oid)) this.#writeOid(it, write, path);
  }

  #writeOid(oid: number, write: Write, path: readonly string[]): void {
    const relation = this.walk.snapshot.relation(oid);
    if (relation !== undefined) this.#write(relation, write, path);
  }

  /** Which of the view's tables is meant is not worth finding out: all of them are. */
  #throughView(view: CatalogueRelation, write: Write, path: readonly string[]): void {
    for (const it of this.walk.snapshot.tablesOfView(view.oid)) {
      this.#writeOid(it, { ...write, only: false, isDirect: false, columns: null }, path);
    }
  }

  #triggers(relation: CatalogueRelation, operation: WriteOperation, path: readonly string[]): void {
    for (const it of this.walk.snapshot.triggersOf(relation.oid)) {
      if (firesOn(it.type, operation)) this.functions.runByOid(it.function, path);
    }
  }

  #foreignKeys(relation: CatalogueRelation, write: Write, path: readonly string[]): void {
    const { operation, cascade } = write;
    const byTriggers = assignedByTriggers(this.walk.snapshot, relation.oid);
    const changed = write.columns === null || byTriggers === null ? null : [...write.columns, ...byTriggers];
    for (const key of this.walk.snapshot.foreignKeysTo(relation.oid)) {
      const action = actionOf(key, operation, cascade);
      // An UPDATE that leaves the referenced columns alone reaches nobody.
      if (operation === 'update' && changed?.some((it) => key.referenced_columns.includes(it)) === false)
        continue;
      if (action === null) continue;
      const columns = key.referencing_columns;
      this.#writeOid(
        key.referencing,
        { operation: action, cascade, only: false, isDirect: false, columns },
        path,
      );
    }
  }
}

/** What a write to the referenced table does to the referencing one. */
function actionOf(key: ForeignKeyRow, operation: WriteOperation, cascade: boolean): WriteOperation | null {
  if (operation === 'truncate') return cascade ? 'truncate' : null;
  if (operation === 'update') return CHANGING_ACTIONS.has(key.on_update) ? 'update' : null;
  if (operation !== 'delete' || !CHANGING_ACTIONS.has(key.on_delete)) return null;
  return key.on_delete === 'c' ? 'delete' : 'update';
}
