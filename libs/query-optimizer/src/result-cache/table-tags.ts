import { canonicalKeyValue } from '../analysis/key-value.js';
import { type Operand } from '../analysis/predicate.js';
import { type ResolvedStatement, type TableKey } from '../catalogue/resolved-statement.js';
import { type CatalogueSnapshot } from '../catalogue/snapshot.js';

/*
 * A result carries tags, a write invalidates tags; what may depend on each other shares one. A result that reads
 * any row of a table carries its table tag. One that reads only the rows with `column = value` carries three instead:
 * that of the value, that of the column (a row with an unknown value of it was written) and that of the rows
 * (nothing is known of the row that was written).
 */
export const tableTag = (table: number) => `t${table}`;
/** Every write to a table invalidates its tag. */
export const isTableTag = (tag: string) => tag.startsWith('t');
const rowsTag = (table: number) => `r${table}`;
const columnTag = (table: number, column: string) => `c${table}.${column}`;
const valueTag = (table: number, column: string, value: string) => `v${table}.${column}=${value}`;

/** More values than this are not worth their tags. */
const MAX_VALUES = 50;

/** What a result depends on. */
export function readTags(resolved: ResolvedStatement, parameters: readonly unknown[]): string[] {
  return resolved.reads.flatMap(({ oid }) => {
    const pin = narrowest(resolved.readKeys, oid, parameters);
    if (!pin) return [tableTag(oid)];
    const { column, values } = pin;
    return [rowsTag(oid), columnTag(oid, column), ...values.map((it) => valueTag(oid, column, it))];
  });
}

/** What a write may have changed. */
export function writeTags(
  resolved: ResolvedStatement,
  parameters: readonly unknown[],
  snapshot: CatalogueSnapshot,
): string[] {
  return resolved.writes.flatMap(({ oid }) => {
    const pins = pinsOf(resolved.writeKeys, oid, parameters);
    if (pins.length === 0) return [tableTag(oid), rowsTag(oid)];
    const known = new Set(pins.map((it) => it.column));
    return [
      tableTag(oid),
      ...pins.flatMap(({ column, values }) => values.map((it) => valueTag(oid, column, it))),
      ...keyColumns(snapshot, oid)
        .filter((it) => !known.has(it))
        .map((it) => columnTag(oid, it)),
    ];
  });
}

/** Of everything that depends on the table. */
export function tagsOfTable(table: number): string[] {
  return [tableTag(table), rowsTag(table)];
}

interface Pin {
  readonly column: string;
  readonly values: readonly string[];
}

/** The fewer values, the fewer writes concern it. */
function narrowest(
  keys: readonly TableKey[],
  table: number,
  parameters: readonly unknown[],
): Pin | undefined {
  return pinsOf(keys, table, parameters).reduce<Pin | undefined>(
    (best, it) => (!best || it.values.length < best.values.length ? it : best),
    undefined,
  );
}

function pinsOf(keys: readonly TableKey[], table: number, parameters: readonly unknown[]): Pin[] {
  const pins: Pin[] = [];
  for (const { table: of, column, kind, values } of keys) {
    if (of !== table) continue;
    const texts = values.flatMap((it) => valuesOf(it, parameters)).map((it) => canonicalKeyValue(kind, it));
    const known = texts.filter((it) => it !== undefined);
    if (known.length === texts.length && known.length <= MAX_VALUES)
      pins.push({ column, values: [...new Set(known)] });
  }
  return pins;
}

/** What cannot be told leads to an undefined value, so to no pin. */
function valuesOf(operand: Operand, parameters: readonly unknown[]): readonly unknown[] {
  if (operand.kind === 'constant') return [operand.value];
  if (operand.kind === 'parameter') return [parameters[operand.number - 1]];
  const list = operand.kind === 'parameterArray' ? parameters[operand.number - 1] : undefined;
  return Array.isArray(list) ? list : [undefined];
}

function keyColumns(snapshot: CatalogueSnapshot, table: number): string[] {
  const columns = snapshot.relation(table)?.columns ?? new Map<string, never>();
  return [...columns.values()].filter((it) => it.keyKind !== null).map((it) => it.name);
}
