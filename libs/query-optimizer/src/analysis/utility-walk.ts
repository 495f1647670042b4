import { type CopyStmt, type DropStmt, type Node, type TruncateStmt } from 'libpg-query';

import { type Collector } from './collector.js';
import { type QueryWalk } from './query-walk.js';
import { type RelationName } from './relation-name.js';
import { type Scope } from './scope.js';
import { type TableWrite, type WriteOperation } from './statement.js';
import { executesInner, innerQuery } from './statement-kind.js';
import { nameOf, rangesBelow, relationOf, stringsOf } from './tree.js';

const QUERIES = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];
const TABLE_OBJECTS = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE']);

/** Walks any statement: queries by {@link QueryWalk}, the rest by what it names. */
export class StatementWalk {
  constructor(
    private readonly found: Collector,
    private readonly queries: QueryWalk,
  ) {}

  walk(node: Node): void {
    if (QUERIES.some((it) => it in node)) this.queries.walk(node);
    else if ('TruncateStmt' in node) this.#truncate(node.TruncateStmt);
    else if ('CopyStmt' in node) this.#copy(node.CopyStmt);
    else if ('RefreshMatViewStmt' in node) this.#rangesAs('refresh', node);
    else if ('CallStmt' in node) {
      // The tree holds the call without the name of its type.
      this.queries.walkExpression({ FuncCall: node.CallStmt.funccall }, this.#emptyScope());
    } else if ('ExecuteStmt' in node)
      this.queries.walkExpression(node.ExecuteStmt.params, this.#emptyScope());
    else if ('CreateTableAsStmt' in node) this.#createAs(node);
    else if ('DropStmt' in node) this.#drop(node.DropStmt);
    else if ('LockStmt' in node) this.#lock(node);
    else if ('VacuumStmt' in node || 'ReindexStmt' in node || 'ClusterStmt' in node) this.#readRanges(node);
    else if (innerQuery(node) !== null) this.#inner(node);
    else this.#rangesAs('ddl', node);
  }

  #inner(node: Node): void {
    const inner = innerQuery(node);
    if (inner === null) return;
    this.walk(inner);
    // Planning writes nothing.
    if (!executesInner(node)) this.found.writes.length = 0;
  }

  #createAs(node: Extract<Node, { CreateTableAsStmt: unknown }>): void {
    const { query, into } = node.CreateTableAsStmt;
    if (query !== undefined) this.walk(query);
    this.#rangesAs('ddl', into?.rel);
  }

  #truncate({ relations, behavior }: TruncateStmt): void {
    for (const it of rangesBelow(relations)) {
      this.#write(relationOf(it), 'truncate', behavior === 'DROP_CASCADE', it.inh !== true);
    }
  }

  #copy(copy: CopyStmt): void {
    if (copy.query !== undefined) {
      this.walk(copy.query);
      return;
    }
    if (copy.relation === undefined) return;
    if (copy.is_from === true) {
      this.#write(relationOf(copy.relation), 'insert', false, true, stringsOf(copy.attlist));
      this.queries.walkExpression(copy.whereClause, this.#emptyScope());
    } else this.#readRanges(copy.relation);
  }

  #lock(node: Node): void {
    this.found.locksRows = true;
    this.#readRanges(node);
  }

  #drop({ objects, removeType, behavior }: DropStmt): void {
    if (!TABLE_OBJECTS.has(removeType ?? '')) return;
    for (const it of objects ?? []) {
      const parts = 'List' in it ? stringsOf(it.List.items) : stringsOf([it]);
      this.#write(nameOf(parts), 'ddl', behavior === 'DROP_CASCADE', true);
    }
  }

  #rangesAs(operation: WriteOperation, node: unknown): void {
    for (const it of rangesBelow(node)) {
      if (it.relpersistence === 't') this.found.usesTemporaryTables = true;
      this.#write(relationOf(it), operation, false, false);
    }
  }

  #readRanges(node: unknown): void {
    for (const it of rangesBelow(node)) {
      const block = this.found.blocks.length === 0 ? this.found.openBlock('main', null) : 0;
      const relation = relationOf(it);
      this.found.addReference({
        relation,
        alias: relation.name,
        use: 'read',
        block,
        only: it.inh !== true,
        nullable: false,
        renamesColumns: false,
      });
    }
  }

  #write(
    relation: RelationName,
    operation: WriteOperation,
    cascade: boolean,
    only: boolean,
    columns: string[] = [],
  ): void {
    const write: TableWrite = {
      relation,
      reference: null,
      operations: [operation],
      cascade,
      only,
      columns: columns.length === 0 ? null : columns,
      assigned: new Map(),
      conflictColumns: null,
      updatedColumns: [],
    };
    this.found.writes.push(write);
  }

  #emptyScope(): Scope {
    return { block: this.found.openBlock('main', null), items: [], parent: null, ctes: new Set() };
  }
}
