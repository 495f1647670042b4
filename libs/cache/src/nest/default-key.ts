import { types } from 'node:util';

/** Deeper arguments are taken for circular ones. */
const MAX_DEPTH = 32;

/** What makes an argument unfit for a key. */
export class NoCanonicalFormError extends Error {}

/**
 * The arguments as text: the same for equal data whatever the order of its properties, different for different data
 * (1 and "1", null and undefined, a Date and its text). Trailing undefined arguments count as not given. O(size).
 * @throws {NoCanonicalFormError} for functions, symbols, class instances with methods and circular data.
 */
export function canonicalArguments(args: readonly unknown[]): string {
  let count = args.length;
  while (count > 0 && args[count - 1] === undefined) count--;
  return list(count === args.length ? args : args.slice(0, count), 0);
}

// Text is quoted and everything else is not, so that no two kinds of data share a form.
function canonical(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return String(value === 0 ? 0 : value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : canonicalObject(value, depth + 1);
    default:
      throw new NoCanonicalFormError(`an argument holds a ${typeof value}`);
  }
}

function canonicalObject(value: object, depth: number): string {
  if (depth > MAX_DEPTH) {
    throw new NoCanonicalFormError('an argument refers to itself, or is nested deeper than 32 levels');
  }
  if (Array.isArray(value)) return list(value, depth);
  if (types.isDate(value)) return `Date(${value.getTime()})`;
  if (types.isMap(value)) return `Map{${entries([...value], depth)}}`;
  if (types.isSet(value)) return `Set${list([...value], depth, true)}`;
  if (ArrayBuffer.isView(value)) return bytes(value);
  return `{${entries(Object.entries(plain(value)), depth)}}`;
}

function list(values: readonly unknown[], depth: number, sorted = false): string {
  const parts: string[] = [];
  // `map` would leave the holes of a sparse array out.
  for (const value of values) parts.push(canonical(value, depth));
  return `[${(sorted ? parts.sort() : parts).join(',')}]`;
}

const entries = (pairs: readonly (readonly [unknown, unknown])[], depth: number): string =>
  pairs
    .map(([key, value]) => `${canonical(key, depth)}:${canonical(value, depth)}`)
    .sort()
    .join(',');

function bytes(view: ArrayBufferView): string {
  // In Node a Buffer and a Uint8Array are the same data.
  const kind = types.isUint8Array(view) ? 'bytes' : view.constructor.name;
  return `${kind}(${Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')})`;
}

/** The object, when it is nothing but data: of no class, or of one without methods and accessors. */
function plain(value: object): object {
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== 'Object') throw new NoCanonicalFormError(`an argument holds a ${kind}`);
  let prototype = Object.getPrototypeOf(value) as object | null;
  while (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    if (Reflect.ownKeys(prototype).length > 1) {
      const name = value.constructor.name;
      throw new NoCanonicalFormError(`an argument holds an instance of ${name}, a class with methods`);
    }
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return value;
}
