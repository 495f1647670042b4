import { analyse } from '../analysis/analyse.js';
import { formatRelationName, type RelationName } from '../analysis/relation-name.js';
import { sessionChangeOf, strongerChange } from '../analysis/session-change.js';
import { type Statement, type StatementKind } from '../analysis/statement.js';
import { TIME_VALUE_FUNCTIONS } from './builtin-functions.js';
import { Effects } from './effects.js';
import { FunctionWalk } from './function-walk.js';
import { findRelation } from './search-path.js';
import { type CatalogueRelation, type CatalogueSnapshot } from './snapshot.js';
import { WriteWalk } from './write-walk.js';

/** Kinds that run what the text does not show. */
const OPAQUE: ReadonlyMap<StatementKind, string> = new Map([
  ['unknown', 'a text that does not parse'],
  ['do', 'a DO block'],
  ['execute', 'a prepared statement'],
  ['ddl', 'a change of the schema'],
]);

/** Follows a statement through views, policies, functions, triggers and foreign keys. */
export class EffectWalk {
  readonly effects = new Effects();
  readonly #functions: FunctionWalk;
  readonly #writes: WriteWalk;
  readonly #policiesSeen = new Set<number>();
  readonly #viewsSeen = new Set<number>();

  constructor(readonly snapshot: CatalogueSnapshot) {
    this.#functions = new FunctionWalk(this);
    this.#writes = new WriteWalk(this, this.#functions);
  }

  /** `isDirect`: the statement itself, not the body of a view or function. */
  visit(statement: Statement, path: readonly string[], isDirect: boolean): void {
    const opaque = OPAQUE.get(statement.kind);
    if (opaque !== undefined) this.effects.unknownWriters.add(opaque);
    this.effects.sessionChange = strongerChange(this.effects.sessionChange, sessionChangeOf(statement));
    if (statement.transaction === 'commit prepared')
      this.effects.unknownWriters.add('a prepared transaction');
    this.#traits(statement);
    for (const it of statement.references) {
      if (it.use === 'read') this.readNamed(it.relation, path, it.only, isDirect);
    }
    this.#functions.visit(statement, path);
    for (const it of statement.writes) this.#writes.visit(it, path, isDirect);
  }

  readNamed(name: RelationName, path: readonly string[], only: boolean, isDirect: boolean): void {
    const relation = findRelation(this.snapshot, name, path);
    if (relation === undefined) {
      const text = formatRelationName(name);
      this.effects.uncacheable(
        'UNKNOWN_RELATION',
        `There is no relation ${text} on the search path ${path.join(', ')}.`,
      );
    } else this.read(relation, only, isDirect);
  }

  read(relation: CatalogueRelation, only: boolean, isDirect: boolean): void {
    this.#relationTraits(relation);
    if (relation.kind === 'view' && !relation.isSystem) {
      this.#readView(relation);
      return;
    }
    this.effects.reads.set(relation.oid, relation);
    if (!isDirect) this.effects.readIndirectly.add(relation.oid);
    if (relation.hasRowSecurity) this.#readPolicies(relation);
    if (only) return;
    for (const it of this.snapshot.childrenOf(relation.oid)) {
      const child = this.snapshot.relation(it);
      if (child !== undefined) this.read(child, false, isDirect);
    }
  }

  /** Tables that a view is made of: by its text, which also shows functions, and by pg_depend, which misses nothing. */
  #readView(view: CatalogueRelation): void {
    if (this.#viewsSeen.has(view.oid)) return;
    this.#viewsSeen.add(view.oid);
    for (const it of this.snapshot.tablesOfView(view.oid)) {
      const table = this.snapshot.relation(it);
      if (table !== undefined) this.read(table, false, false);
    }
    if (view.definition === null) return;
    const body = analyse(view.definition);
    if (body.kind === 'select') this.visit(body, [], false);
    else this.effects.uncacheable('UNKNOWN_SYNTAX', `The view ${nameOf(view)} could not be read.`);
  }

  /** A policy is a condition that may read other tables and call functions. */
  #readPolicies(table: CatalogueRelation): void {
    this.effects.readRowSecurity = true;
    if (this.#policiesSeen.has(table.oid)) return;
    this.#policiesSeen.add(table.oid);
    for (const it of this.snapshot.policiesOf(table.oid)) {
      const condition = analyse(`SELECT 1 WHERE ${it}`);
      if (condition.kind === 'select') this.visit(condition, [], false);
      else this.effects.uncacheable('UNKNOWN_SYNTAX', `A policy of ${nameOf(table)} could not be read.`);
    }
  }

  #traits(statement: Statement): void {
    const { effects } = this;
    if (statement.locksRows)
      effects.uncacheable('LOCKS_ROWS', 'It locks what it reads, which only the server can do.');
    if (statement.samplesRows) effects.uncacheable('SAMPLES_ROWS', 'TABLESAMPLE picks rows by chance.');
    if (statement.kind === 'unknown') {
      effects.uncacheable('UNKNOWN_SYNTAX', statement.syntaxError?.message ?? 'It does not parse.');
    }
    for (const it of statement.sqlValueFunctions) {
      if (TIME_VALUE_FUNCTIONS.has(it)) effects.uncacheable('TIME_DEPENDENT', `${it} answers by the clock.`);
      if (it === 'session_user') effects.uncacheable('SESSION_DEPENDENT', `${it} answers by the session.`);
    }
  }

  #relationTraits(relation: CatalogueRelation): void {
    const { effects } = this;
    const name = nameOf(relation);
    if (relation.isSystem) effects.uncacheable('SYSTEM_CATALOG', `${name} belongs to the system.`);
    if (relation.isTemporary)
      effects.uncacheable('TEMPORARY_TABLE', `${name} is, in some session, a temporary table.`);
    if (relation.kind === 'foreign table') {
      effects.uncacheable('FOREIGN_TABLE', `${name} is kept by another server, whose writes nobody tells.`);
    }
    if (relation.kind === 'sequence')
      effects.uncacheable('SEQUENCE', `${name} is a sequence, which moves on its own.`);
  }
}

export function nameOf({ schema, name }: RelationName): string {
  return formatRelationName({ schema, name });
}
