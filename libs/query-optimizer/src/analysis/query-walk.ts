import { type CommonTableExpr, type Node, type SelectStmt, type WithClause } from 'libpg-query';

import { type Collector } from './collector.js';
import { DmlWalk } from './dml-walk.js';
import { ExpressionWalk } from './expression-walk.js';
import { FromClause } from './from-clause.js';
import { operandOf } from './operand.js';
import { type Operand } from './predicate.js';
import { PredicateExtraction } from './predicate-extraction.js';
import { type Scope } from './scope.js';
import { ResultClauses } from './result-clauses.js';
import { type QueryBlock } from './statement.js';
import { relationOf } from './tree.js';

export type BlockRole = QueryBlock['role'];

/** What a query inside another one sees. */
export interface Surroundings {
  readonly parent: Scope | null;
  readonly parentBlock: number | null;
  readonly ctes: ReadonlySet<string>;
  readonly role: BlockRole;
}

const TOP: Surroundings = { parent: null, parentBlock: null, ctes: new Set(), role: 'main' };

/** Walks SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE with the scoping rules of PostgreSQL. */
export class QueryWalk {
  readonly predicates: PredicateExtraction;
  readonly #expressions: ExpressionWalk;
  readonly #from: FromClause;
  readonly #results: ResultClauses;
  readonly #dml: DmlWalk;

  constructor(readonly found: Collector) {
    this.predicates = new PredicateExtraction(found);
    this.#expressions = new ExpressionWalk(found, (query, scope) => {
      this.walk(query, { ...inside(scope), role: 'subquery' });
    });
    this.#from = new FromClause(this);
    this.#results = new ResultClauses(this);
    this.#dml = new DmlWalk(this);
  }

  walk(query: Node, around: Surroundings = TOP): void {
    if ('SelectStmt' in query) this.#select(query.SelectStmt, around);
    else this.#dml.walk(query, around);
  }

  walkExpression(value: unknown, scope: Scope): void {
    this.#expressions.walk(value, scope);
  }

  walkFrom(nodes: readonly Node[] | undefined, scope: Scope): void {
    this.#from.walk(nodes, scope);
  }

  /** A query in FROM. It sees `visible`, which without LATERAL is what the query around it sees from outside. */
  walkDerived(query: Node, visible: Scope | null, outer: Scope): void {
    this.walk(query, { parent: visible, parentBlock: outer.block, ctes: outer.ctes, role: 'derived' });
  }

  walkWhere(where: Node | undefined, scope: Scope): void {
    if (where === undefined) return;
    this.predicates.extract(where, { scope, clause: 'where', decided: scope.items });
    this.walkExpression(where, scope);
  }

  walkReturning(nodes: readonly Node[] | undefined, scope: Scope): void {
    this.#results.targets(nodes, scope);
  }

  /** Opens the block of a query and walks its CTEs. */
  open(withClause: WithClause | undefined, around: Surroundings): Scope {
    const block = this.found.openBlock(around.role, around.parentBlock);
    const ctes = this.#ctes(withClause, around, block);
    return { block, items: [], parent: around.parent, ctes };
  }

  #ctes(withClause: WithClause | undefined, around: Surroundings, block: number): ReadonlySet<string> {
    const ctes = (withClause?.ctes ?? []).flatMap((it) =>
      'CommonTableExpr' in it ? [it.CommonTableExpr] : [],
    );
    const isRecursive = withClause?.recursive === true;
    // RECURSIVE makes every name of the clause visible in all of it, else only the names before.
    const visible = new Set([...around.ctes, ...(isRecursive ? ctes.map(nameOfCte) : [])]);
    for (const cte of ctes) {
      if (cte.ctequery !== undefined) {
        const seen = {
          parent: around.parent,
          parentBlock: block,
          ctes: new Set(visible),
          role: 'cte',
        } as const;
        this.walk(cte.ctequery, seen);
      }
      visible.add(nameOfCte(cte));
    }
    return visible;
  }

  #select(select: SelectStmt, around: Surroundings): void {
    const scope = this.open(select.withClause, around);
    if (select.intoClause?.rel !== undefined) this.#into(select);
    if (select.op !== undefined && select.op !== 'SETOP_NONE') {
      for (const arm of [select.larg, select.rarg]) {
        if (arm !== undefined)
          this.#select(arm, { ...inside(scope), parent: around.parent, role: 'set arm' });
      }
    } else this.#simpleSelect(select, scope);
    this.#limits(select, scope);
    if ((select.lockingClause?.length ?? 0) > 0) this.found.locksRows = true;
  }

  #simpleSelect(select: SelectStmt, scope: Scope): void {
    this.walkFrom(select.fromClause, scope);
    this.walkWhere(select.whereClause, scope);
    this.walkExpression(select.valuesLists, scope);
    this.#results.walk(select, scope);
  }

  #into(select: SelectStmt): void {
    const range = select.intoClause?.rel;
    if (range === undefined) return;
    this.found.writes.push({
      relation: relationOf(range),
      reference: null,
      operations: ['ddl'],
      cascade: false,
      only: false,
      columns: null,
      assigned: new Map(),
      conflictColumns: null,
      updatedColumns: [],
    });
    if (range.relpersistence === 't') this.found.usesTemporaryTables = true;
  }

  #limits(select: SelectStmt, scope: Scope): void {
    const operand = (node: Node | undefined): Operand | null => (node === undefined ? null : operandOf(node));
    this.found.addLimit(scope.block, operand(select.limitCount), operand(select.limitOffset));
    this.walkExpression([select.limitCount, select.limitOffset], scope);
    if (select.op !== undefined && select.op !== 'SETOP_NONE') this.#results.order(select, scope);
  }
}

function inside(scope: Scope): Omit<Surroundings, 'role'> {
  return { parent: scope, parentBlock: scope.block, ctes: scope.ctes };
}

function nameOfCte({ ctename }: CommonTableExpr): string {
  return ctename ?? '';
}
