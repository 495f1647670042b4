import { type ConstantOperand, type Operand } from './predicate.js';

/** How the values of a key column compare. */
export type KeyKind = 'integer' | 'uuid' | 'text' | 'boolean';

const CASTS: Readonly<Record<KeyKind, ReadonlySet<string>>> = {
  integer: new Set(['int2', 'int4', 'int8']),
  uuid: new Set(['uuid']),
  text: new Set(['text', 'varchar']),
  boolean: new Set(['bool']),
};

/**
 * One text per value, such that values that are equal for PostgreSQL have equal texts: `'7'` and 7, upper and lower case
 * of a UUID. Different texts therefore mean different rows, equal texts need not mean equal ones. Undefined for what can
 * not be told (also null): the statement then counts as one without a key.
 */
export function canonicalKeyValue(kind: KeyKind, value: unknown): string | undefined {
  switch (kind) {
    case 'integer':
      return canonicalInteger(value);
    case 'uuid':
      return canonicalUuid(value);
    case 'boolean':
      return canonicalBoolean(value);
    case 'text':
      // `varchar(3)` silently drops spaces beyond its length.
      if (typeof value === 'string') return value.toWellFormed().replace(/ +$/, '');
      return typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined;
  }
}

function canonicalInteger(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value).toString() : undefined;
  if (typeof value !== 'string' || !/^\s*[+-]?\d{1,19}\s*$/.test(value)) return undefined;
  return BigInt(value.trim().replace(/^\+/, '')).toString();
}

function canonicalUuid(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const digits = value
    .replace(/^\{(.*)\}$/, '$1')
    .replaceAll('-', '')
    .toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : undefined;
}

function canonicalBoolean(value: unknown): string | undefined {
  if (typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value.trim().toLowerCase() : '';
  if (text === 'true' || text === 't') return 'true';
  return text === 'false' || text === 'f' ? 'false' : undefined;
}

/** False when the text itself shows that the operand's value can not be compared as `kind`: a cast to another type, `1.5`. */
export function fitsKey(operand: Operand, kind: KeyKind): boolean {
  switch (operand.kind) {
    case 'parameter':
      return operand.castTo === null || CASTS[kind].has(operand.castTo);
    case 'parameterArray':
      return (
        operand.castTo === null ||
        (operand.castTo.endsWith('[]') && CASTS[kind].has(operand.castTo.slice(0, -2)))
      );
    case 'constant':
      return (
        (operand.castTo === null || CASTS[kind].has(operand.castTo)) &&
        isWrittenAsStored(operand, kind) &&
        canonicalKeyValue(kind, operand.value) !== undefined
      );
    default:
      return false;
  }
}

/** `1e3` is stored in a text column as `1000`, true as `true`. */
function isWrittenAsStored({ type }: ConstantOperand, kind: KeyKind): boolean {
  return type !== 'bits' && (kind !== 'text' || type === 'text' || type === 'integer');
}
