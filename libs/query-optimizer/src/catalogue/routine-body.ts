import { parsePlPgSQLSync, type Node } from 'libpg-query';

import { analyseTree } from '../analysis/analyse.js';
import { parseScript } from '../analysis/parser.js';
import { type Statement } from '../analysis/statement.js';
import { isBranch } from '../analysis/tree.js';
import { QuerySyntaxError } from '../query-optimizer.errors.js';
import { type FunctionRow } from './catalogue-rows.js';

/** What a routine's body runs. */
export interface RoutineBody {
  readonly statements: readonly Statement[];
  /** Columns of NEW that a trigger function assigns; null when it may change any. */
  readonly assignedToNew: ReadonlySet<string> | null;
}

/** Fields and statements that put values into variables other than by an assignment; NEW may be among them. */
const MAY_ASSIGN = new Set(['target', 'var', 'diag_items', 'PLpgSQL_stmt_call', 'PLpgSQL_stmt_getdiag']);

/** The body of an SQL or PL/pgSQL routine; null when it can not be known: dynamic SQL, another language, no parse. */
export function routineBody({ language, source, definition }: FunctionRow): RoutineBody | null {
  const isStandard = language === 'sql' && definition !== null;
  if (isStandard) return sqlBody(standardBody(definition));
  if (language === 'sql') return sqlBody(parseScript(source));
  return language === 'plpgsql' && definition !== null ? plpgsqlBody(definition) : null;
}

function sqlBody(trees: readonly Node[] | QuerySyntaxError): RoutineBody | null {
  if (trees instanceof QuerySyntaxError) return null;
  const statements = trees.map((it) => analyseTree('', it));
  return { statements, assignedToNew: null };
}

/** The statements of `BEGIN ATOMIC … END` and of `RETURN …`. */
function standardBody(definition: string): readonly Node[] | QuerySyntaxError {
  const parsed = parseScript(definition);
  if (parsed instanceof QuerySyntaxError) return parsed;
  const [create] = parsed;
  const body =
    create !== undefined && 'CreateFunctionStmt' in create ? create.CreateFunctionStmt.sql_body : undefined;
  return body === undefined ? new QuerySyntaxError('it has no body', null) : flattened(body);
}

function flattened(node: Node): Node[] {
  if ('List' in node) return (node.List.items ?? []).flatMap(flattened);
  if (!('ReturnStmt' in node)) return [node];
  const value = node.ReturnStmt.returnval;
  return value === undefined ? [] : [{ SelectStmt: { targetList: [{ ResTarget: { val: value } }] } }];
}

function plpgsqlBody(definition: string): RoutineBody | null {
  const walk = new PlpgsqlWalk();
  try {
    walk.visit(parsePlPgSQLSync(definition));
  } catch {
    return null;
  }
  return walk.body;
}

/** Reads the tree of PL/pgSQL's own parser. Any statement that runs a text made at run time makes the body unknown. */
class PlpgsqlWalk {
  readonly #statements: Statement[] = [];
  #assigned: Set<string> | null = new Set();
  #isKnown = true;

  get body(): RoutineBody | null {
    return this.#isKnown ? { statements: this.#statements, assignedToNew: this.#assigned } : null;
  }

  visit(value: unknown): void {
    if (Array.isArray(value)) for (const it of value) this.visit(it);
    if (!isBranch(value)) return;
    for (const [type, field] of Object.entries(value)) {
      if (/dyn/.test(type)) this.#isKnown = false;
      if (type === 'PLpgSQL_expr' && isBranch(field)) this.#expression(String(field.query), field.parseMode);
      if (type === 'PLpgSQL_stmt_return' && isBranch(field)) this.#return(field);
      if (MAY_ASSIGN.has(type)) this.#assigned = null;
      this.visit(field);
    }
  }

  /** `parseMode` is PL/pgSQL's RawParseMode: 0 statements, 2 an expression, 3 to 5 an assignment. */
  #expression(query: string, parseMode: unknown): void {
    if (parseMode === 0 || parseMode === undefined) this.#parse(query);
    else if (parseMode === 2) this.#parse(`SELECT ${query}`);
    else this.#assignment(query);
  }

  #assignment(query: string): void {
    const [, target, value] = /^\s*([^:=]+?)\s*:?=([\s\S]*)$/.exec(query) ?? [];
    if (target === undefined || value === undefined) {
      this.#isKnown = false;
      return;
    }
    const [, column] = /^new\.([a-z_][a-z0-9_]*)$/i.exec(target) ?? [];
    if (column !== undefined) this.#assigned?.add(column.toLowerCase());
    else if (/^"?new\b/i.test(target)) this.#assigned = null;
    this.#parse(`SELECT ${value}`);
    // A subscript of the target may call something as well.
    const [, subscript] = /\[([\s\S]*)\]/.exec(target) ?? [];
    if (subscript !== undefined) this.#parse(`SELECT ${subscript}`);
  }

  /** `RETURN NEW`, `OLD`, `NULL` hand on what is there; any other row may have other values. */
  #return(field: Readonly<Record<string, unknown>>): void {
    const expression =
      isBranch(field.expr) && isBranch(field.expr.PLpgSQL_expr) ? field.expr.PLpgSQL_expr.query : '';
    const isPlain = typeof expression === 'string' && /^\s*(null|new|old)?\s*$/i.test(expression);
    if (!isPlain) this.#assigned = null;
  }

  #parse(text: string): void {
    const parsed = parseScript(text);
    if (parsed instanceof QuerySyntaxError) this.#isKnown = false;
    else this.#statements.push(...parsed.map((it) => analyseTree('', it)));
  }
}
