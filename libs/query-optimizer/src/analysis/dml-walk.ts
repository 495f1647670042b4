import {
  type DeleteStmt,
  type InsertStmt,
  type MergeStmt,
  type Node,
  type OnConflictClause,
  type RangeVar,
  type UpdateStmt,
} from 'libpg-query';

import { assignedBySet, assignedByValues, columnsOf, mergeOperations } from './assignments.js';
import { type QueryWalk, type Surroundings } from './query-walk.js';
import { type RangeItem, type Scope } from './scope.js';
import { type TableWrite } from './statement.js';
import { relationOf } from './tree.js';

type Write = Partial<Omit<TableWrite, 'operations'>> & Pick<TableWrite, 'operations'>;

/** Walks the statements that change rows. A target is never a CTE, whatever its name. */
export class DmlWalk {
  constructor(private readonly queries: QueryWalk) {}

  walk(query: Node, around: Surroundings): void {
    if ('InsertStmt' in query) this.#insert(query.InsertStmt, around);
    else if ('UpdateStmt' in query) this.#update(query.UpdateStmt, around);
    else if ('DeleteStmt' in query) this.#delete(query.DeleteStmt, around);
    else if ('MergeStmt' in query) this.#merge(query.MergeStmt, around);
    else throw new TypeError(`not a query: ${Object.keys(query).join()}`);
  }

  #insert(insert: InsertStmt, around: Surroundings): void {
    const scope = this.queries.open(insert.withClause, around);
    const conflict = insert.onConflictClause;
    const updates = conflict?.action === 'ONCONFLICT_UPDATE';
    const updated = updates ? columnsOf(conflict.targetList) : [];
    const target = this.#target(insert.relation, scope, {
      operations: updates ? ['insert', 'update'] : ['insert'],
      columns: insert.cols === undefined ? null : columnsOf(insert.cols),
      assigned: assignedByValues(insert),
      conflictColumns: updates ? arbiterColumns(conflict) : null,
      updatedColumns: updated,
    });
    this.queries.walkExpression(insert.cols, scope);
    if (insert.selectStmt !== undefined) this.queries.walkDerived(insert.selectStmt, scope.parent, scope);
    scope.items = [target];
    const excluded: RangeItem = { ...target, alias: 'excluded', reference: null, relation: null };
    if (conflict !== undefined) this.#conflict(conflict, { ...scope, items: [target, excluded] });
    this.queries.walkReturning(insert.returningClause?.exprs, scope);
  }

  #conflict(conflict: OnConflictClause, scope: Scope): void {
    const arbiter = conflict.infer?.whereClause;
    if (arbiter !== undefined) {
      this.queries.predicates.extract(arbiter, { scope, clause: 'arbiter', decided: [] });
    }
    if (conflict.whereClause !== undefined) {
      this.queries.predicates.extract(conflict.whereClause, { scope, clause: 'arbiter', decided: [] });
    }
    this.queries.walkExpression([conflict.infer, conflict.targetList, conflict.whereClause], scope);
  }

  #update(update: UpdateStmt, around: Surroundings): void {
    const scope = this.queries.open(update.withClause, around);
    const target = this.#target(update.relation, scope, {
      operations: ['update'],
      columns: columnsOf(update.targetList),
      assigned: assignedBySet(update.targetList),
      updatedColumns: columnsOf(update.targetList),
    });
    scope.items = [target];
    this.queries.walkFrom(update.fromClause, scope);
    this.queries.walkExpression(update.targetList, scope);
    this.queries.walkWhere(update.whereClause, scope);
    this.queries.walkReturning(update.returningClause?.exprs, scope);
  }

  #delete(statement: DeleteStmt, around: Surroundings): void {
    const scope = this.queries.open(statement.withClause, around);
    scope.items = [this.#target(statement.relation, scope, { operations: ['delete'] })];
    this.queries.walkFrom(statement.usingClause, scope);
    this.queries.walkWhere(statement.whereClause, scope);
    this.queries.walkReturning(statement.returningClause?.exprs, scope);
  }

  #merge(merge: MergeStmt, around: Surroundings): void {
    const scope = this.queries.open(merge.withClause, around);
    const clauses = (merge.mergeWhenClauses ?? []).flatMap((it) =>
      'MergeWhenClause' in it ? [it.MergeWhenClause] : [],
    );
    const target = this.#target(merge.relation, scope, {
      operations: mergeOperations(clauses),
      updatedColumns: clauses.flatMap((it) => columnsOf(it.targetList)),
    });
    // The source does not see the target.
    this.queries.walkFrom(merge.sourceRelation === undefined ? [] : [merge.sourceRelation], scope);
    scope.items = [target, ...scope.items];
    if (merge.joinCondition !== undefined) {
      this.queries.predicates.extract(merge.joinCondition, { scope, clause: 'on', decided: [] });
      this.queries.walkExpression(merge.joinCondition, scope);
    }
    this.queries.walkExpression(merge.mergeWhenClauses, scope);
    this.queries.walkReturning(merge.returningClause?.exprs, scope);
  }

  #target(range: RangeVar | undefined, scope: Scope, write: Write): RangeItem {
    const relation = relationOf(range ?? {});
    const alias = range?.alias?.aliasname ?? relation.name;
    const only = range?.inh !== true;
    const reference = this.queries.found.addReference({
      relation,
      alias,
      use: 'write',
      block: scope.block,
      only,
      nullable: false,
      renamesColumns: false,
    });
    this.queries.found.writes.push({
      relation,
      reference,
      cascade: false,
      only,
      columns: null,
      assigned: new Map(),
      conflictColumns: null,
      updatedColumns: [],
      ...write,
    });
    const shown = range?.alias === undefined ? relation : null;
    return { alias, reference, relation: shown, renamesColumns: false, nullable: false };
  }
}

/** Plain columns of `on conflict (a, b)`; none for a constraint's name, of which the text does not tell the columns. */
function arbiterColumns({ infer }: OnConflictClause): string[] {
  return (infer?.indexElems ?? []).flatMap((it) => ('IndexElem' in it ? (it.IndexElem.name ?? []) : []));
}
