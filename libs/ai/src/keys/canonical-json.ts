import { AiKeyError } from '../ai.errors.js';

/** Deeper ones are refused; no request of a model is. */
const MAX_DEPTH = 100;

/**
 * JSON that is the same for equal values, whatever the order of their properties: names sorted by UTF-16 code units,
 * no white space (RFC 8785, but for numbers and names as JavaScript writes them). Texts keep their quotes, so that no
 * two different values share a form. A property that is undefined is absent; -0 is 0.
 *
 * @throws {AiKeyError} for what JSON does not have: functions, bigint, NaN, dates and other classes, cycles
 */
export function canonicalJson(value: unknown, path = 'request'): string {
  return write(value, path, 0);
}

function write(value: unknown, path: string, depth: number): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new AiKeyError(path, String(value));
      return JSON.stringify(value);
    case 'object':
      if (depth >= MAX_DEPTH) throw new AiKeyError(path, `nested more than ${MAX_DEPTH} levels or a cycle`);
      return Array.isArray(value) ? writeArray(value, path, depth) : writeObject(value, path, depth);
    default:
      throw new AiKeyError(path, typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`);
  }
}

function writeArray(items: readonly unknown[], path: string, depth: number): string {
  // Not `map`, which passes over holes.
  return `[${Array.from(items, (it, index) => write(it, `${path}[${index}]`, depth + 1)).join(',')}]`;
}

function writeObject(object: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new AiKeyError(path, 'an instance of a class');
  }
  const members = Object.entries(object)
    .filter(([, it]) => it !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, it]) => `${JSON.stringify(name)}:${write(it, `${path}.${name}`, depth + 1)}`);
  return `{${members.join(',')}}`;
}
