import { type ColumnUse, type Operand, type Predicate } from '../analysis/predicate.js';
import { type Statement } from '../analysis/statement.js';
import { type ColumnFacts, type TableCatalogue } from './table-facts.js';

const TYPICAL_LIMIT = '20';

/**
 * A value for each parameter that a typical call might have, as text, from what ANALYZE knows of the columns that they are
 * compared with. Null when one of them cannot be told: a plan for invented values would prove nothing.
 */
export function typicalValues(
  statement: Statement,
  tables: TableCatalogue,
  searchPath: readonly string[],
): ReadonlyMap<number, string> | null {
  const found = new Map<number, string>();
  for (const { limit, offset } of statement.blocks) {
    if (limit?.kind === 'parameter') found.set(limit.number, TYPICAL_LIMIT);
    if (offset?.kind === 'parameter') found.set(offset.number, '0');
  }
  for (const it of statement.predicates) {
    const column = columnFacts(statement, it.column, tables, searchPath);
    const value = column === undefined ? null : typicalValue(column, it);
    if (value !== null) assign(it.operand, value, found);
  }
  for (let i = 1; i <= statement.parameterCount; i++) if (!found.has(i)) return null;
  return found;
}

const EQUAL = new Set(['=', 'in', 'any', 'is not distinct']);
const RANGE = new Set(['<', '<=', '>', '>=', 'between']);

/** Most calls ask for what there is most of; a range begins in the middle. */
function typicalValue(column: ColumnFacts, { operator, column: use }: Predicate): string | null {
  if (use.expression !== null) return null;
  if (EQUAL.has(operator)) return column.commonValue ?? column.median;
  return RANGE.has(operator) ? (column.median ?? column.commonValue) : null;
}

function assign(operand: Operand, value: string, found: Map<number, string>): void {
  if (operand.kind === 'parameter') found.set(operand.number, value);
  if (operand.kind === 'parameterArray') found.set(operand.number, arrayText([value]));
  if (operand.kind === 'list') for (const it of operand.items) assign(it, value, found);
}

function columnFacts(
  { references }: Statement,
  { name, reference, scopes }: ColumnUse,
  tables: TableCatalogue,
  searchPath: readonly string[],
): ColumnFacts | undefined {
  const candidates = reference === null ? scopes.flatMap((it) => it.references) : [reference];
  for (const it of candidates) {
    const relation = references[it]?.relation;
    if (relation === undefined) continue;
    const schemas = relation.schema === null ? searchPath : [relation.schema];
    const table = schemas.map((schema) => tables.named(schema, relation.name)).find((t) => t !== undefined);
    const column = table?.columns.get(name);
    if (column !== undefined) return column;
  }
  return undefined;
}

/** A value as the driver takes it, as PostgreSQL reads it from text. Null is SQL NULL. */
export function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return arrayText(value);
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  return typeof value === 'string' ? value : null;
}

function arrayText(values: readonly unknown[]): string {
  const items = values.map((it) => {
    if (Array.isArray(it)) return arrayText(it);
    const text = parameterText(it);
    return text === null ? 'NULL' : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${items.join(',')}}`;
}
