import { hash } from 'node:crypto';
import { type ResolvedStatement } from '../catalogue/resolved-statement.js';
import { type ResultScope } from './result-scope.js';

/** Where a statement was understood: belongs into every key. */
export interface KeyOrigin {
  readonly database: string;
  /** `select *` has other columns by another schema. */
  readonly schemaVersion: string;
}

interface Head {
  readonly role: string;
  readonly text: string;
}

/**
 * Keys of results. What is the same for all parameters is hashed, once for a statement: a look-up costs the length of
 * the parameters, not that of the statement, and no entry holds its text.
 */
export class ResultKeys {
  /** A resolved statement belongs to one state of the schema and one search path. */
  readonly #heads = new WeakMap<ResolvedStatement, Head>();

  /** @returns undefined for parameters that have no text of their own */
  of(
    resolved: ResolvedStatement,
    parameters: readonly unknown[],
    scope: ResultScope,
    origin: KeyOrigin,
  ): string | undefined {
    let key = this.#headOf(resolved, scope, origin);
    if (scope.variables) key += variablesText(scope.variables);
    for (const it of parameters) {
      const text = parameterText(it);
      if (text === undefined) return undefined;
      key += text;
    }
    return key;
  }

  #headOf(
    resolved: ResolvedStatement,
    { role, searchPath }: ResultScope,
    { database, schemaVersion }: KeyOrigin,
  ) {
    const known = this.#heads.get(resolved);
    if (known?.role === role) return known.text;
    const parts = [database, schemaVersion, role, searchPath, resolved.statement.text];
    const text = hash('sha256', JSON.stringify(parts), 'base64url');
    this.#heads.set(resolved, { role, text });
    return text;
  }
}

function variablesText(variables: Readonly<Record<string, string>>): string {
  const entries = Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, value]) => `v${stringText(name)}${stringText(value)}`).join('');
}

/**
 * Tells its own end, so that texts in a row stand for one list of values only. The type goes in: `1` and `'1'` may mean
 * different things to the driver.
 */
function parameterText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return stringText(value);
    case 'number':
      return `n${value};`;
    case 'bigint':
      return `i${value};`;
    case 'boolean':
      return value ? 't' : 'f';
    case 'undefined':
      return 'u';
    case 'object':
      return objectText(value);
    default:
      return undefined;
  }
}

const stringText = (value: string) => `s${value.length}:${value}`;

function objectText(value: object | null): string | undefined {
  if (value === null) return 'z';
  if (value instanceof Date) return `d${value.getTime()};`;
  if (ArrayBuffer.isView(value)) {
    return `y${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')};`;
  }
  if (Array.isArray(value)) {
    const items = value.map(parameterText);
    return items.includes(undefined) ? undefined : `a${items.length};${items.join('')}`;
  }
  if ('toPostgres' in value) return undefined;
  try {
    return `j${stringText(JSON.stringify(value))}`;
  } catch {
    return undefined;
  }
}
