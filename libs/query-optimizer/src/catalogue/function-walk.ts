import { type RelationName } from '../analysis/relation-name.js';
import { type FunctionCall, type Statement } from '../analysis/statement.js';
import {
  isHarmlessExtension,
  isSessionDependent,
  isTimeDependent,
  runsAnyQuery,
} from './builtin-functions.js';
import { type FunctionRow } from './catalogue-rows.js';
import { nameOf, type EffectWalk } from './effect-walk.js';
import { routineBody, type RoutineBody } from './routine-body.js';
import { effectivePath, parseSearchPath } from './search-path.js';

const bodies = new WeakMap<FunctionRow, { readonly body: RoutineBody | null }>();

/**
 * Follows calls into functions. Types of arguments are not known, so of several functions that a call may mean all count.
 */
export class FunctionWalk {
  readonly #seen = new Set<string>();

  constructor(private readonly walk: EffectWalk) {}

  visit(statement: Statement, path: readonly string[]): void {
    for (const it of statement.functions) this.#call(it, path);
    for (const it of statement.operators) {
      const name = it.split('.').at(-1) ?? it;
      for (const oid of this.walk.snapshot.operatorFunctions(name)) this.runByOid(oid, path);
    }
    for (const it of statement.columnNames) {
      for (const row of this.walk.snapshot.functionsOfRowNamed(it)) this.run(row, path);
    }
  }

  runByOid(oid: number, path: readonly string[]): void {
    const found = this.walk.snapshot.function(oid);
    if (found !== undefined) this.run(found, path);
  }

  /** The effects of one function, once per statement and path. */
  run(row: FunctionRow, path: readonly string[]): void {
    const key = `${row.oid} ${path.join()}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    for (const it of row.parts) this.runByOid(it, path);
    if (row.prokind === 'a' || row.prokind === 'w') return;
    const body = bodyOf(row);
    const own = row.settings?.find((it) => it.startsWith('search_path='));
    const inside = own === undefined ? path : parseSearchPath(own.slice('search_path='.length));
    if (body === null) this.#unknownBody(row);
    else for (const it of body.statements) this.walk.visit(it, inside, false);
  }

  #call({ name, argumentCount }: FunctionCall, path: readonly string[]): void {
    const builtins = this.#builtins(name, argumentCount);
    const others = this.#others(name, argumentCount, path);
    for (const it of builtins) this.#builtin(name.name, argumentCount, it);
    for (const it of others) this.run(it, path);
    if (builtins.length === 0 && others.length === 0) {
      this.walk.effects.uncacheable(
        'UNKNOWN_FUNCTION',
        `There is no function ${nameOf(name)} on the search path.`,
      );
      this.walk.effects.unknownWriters.add(`function ${nameOf(name)}`);
    }
  }

  #builtins({ schema, name }: RelationName, argumentCount: number): string[] {
    if (schema !== null && schema !== 'pg_catalog') return [];
    const named = this.walk.snapshot.builtinsNamed(name);
    const fitting = named.filter((it) => it.argument_count === argumentCount || it.is_variadic);
    // Defaults and WITHIN GROUP let a call have fewer arguments than the function: then any of the name may be meant.
    return (fitting.length === 0 ? named : fitting).map((it) => it.volatility);
  }

  #others(
    { schema, name }: RelationName,
    argumentCount: number,
    path: readonly string[],
  ): readonly FunctionRow[] {
    const schemas = schema === null ? effectivePath(path) : [schema];
    return this.walk.snapshot.functionsNamed(name).filter(
      (it) =>
        schemas.includes(it.schema) &&
        argumentCount >= Math.min(it.min_arguments, it.max_arguments ?? 0) &&
        // An array aggregate's ORDER BY arguments and OUT arguments of procedures are not in pronargs.
        (it.max_arguments === null || it.prokind !== 'f' || argumentCount <= it.max_arguments),
    );
  }

  #builtin(name: string, argumentCount: number, volatility: string): void {
    const { effects } = this.walk;
    if (runsAnyQuery(name)) {
      effects.unknownWriters.add(`function ${name}, which runs any text`);
      effects.uncacheable('UNKNOWN_READS', `${name} runs a text that is not known.`);
    }
    if (volatility === '3v')
      effects.uncacheable('VOLATILE_FUNCTION', `${name} answers something else each time.`);
    if (isTimeDependent(name, argumentCount))
      effects.uncacheable('TIME_DEPENDENT', `${name} answers by the clock.`);
    if (volatility !== '1i' && isSessionDependent(name)) {
      effects.uncacheable('SESSION_DEPENDENT', `${name} answers by the session or the server.`);
    }
  }

  #unknownBody(row: FunctionRow): void {
    const { effects } = this.walk;
    const name = nameOf(row);
    const isHarmless = isHarmlessExtension(row.extension);
    if (row.volatility === 'v') {
      effects.uncacheable('VOLATILE_FUNCTION', `${name} is volatile, and what it does is not known.`);
      if (!isHarmless) effects.unknownWriters.add(`function ${name}`);
    } else if (row.volatility === 's' && !isHarmless) {
      effects.uncacheable('UNKNOWN_READS', `What ${name} reads is not known.`);
    }
  }
}

/** Parsed once per snapshot. */
export function bodyOf(row: FunctionRow): RoutineBody | null {
  const known = bodies.get(row);
  if (known !== undefined) return known.body;
  const body = routineBody(row);
  bodies.set(row, { body });
  return body;
}
