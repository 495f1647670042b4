import { types } from 'node:util';
import { UncacheableValueError } from '../cache.errors.js';
import {
  arrayBytes,
  bigintBytes,
  bufferBytes,
  dateBytes,
  numberBytes,
  recordBytes,
  stringBytes,
  tableBytes,
} from './heap-size.js';

/** A value as the memory tier keeps it. */
export interface StoredValue {
  /** A copy of what the caller gave; objects and arrays in it are frozen, all the way down. */
  readonly value: unknown;
  /** Estimate of the heap it takes, bytes. */
  readonly bytes: number;
  /** It holds parts that can not be frozen (bytes, Date, Map, Set): each reader gets a copy of its own. */
  readonly private: boolean;
}

const MAX_DEPTH = 100;
const TYPED_ARRAYS = new Set(
  'Int8 Uint8Clamped Int16 Uint16 Int32 Uint32 Float32 Float64 BigInt64 BigUint64'
    .split(' ')
    .map((it) => `${it}Array`),
);

const dataPrototypes = new WeakMap<object, boolean>();

/** `Object.prototype`, also that of another realm (a vm context, as test runners use them). */
const isRootPrototype = (prototype: object) =>
  Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');

/** Whether instances carry nothing but data: a class without methods and accessors, all the way up. */
function isDataPrototype(prototype: object | null): boolean {
  if (prototype === null || isRootPrototype(prototype)) return true;
  const known = dataPrototypes.get(prototype);
  if (known !== undefined) return known;
  const verdict =
    Reflect.ownKeys(prototype).every((key) => key === 'constructor') &&
    isDataPrototype(Object.getPrototypeOf(prototype) as object | null);
  dataPrototypes.set(prototype, verdict);
  return verdict;
}

/** One pass that copies, freezes if asked to, measures, and refuses what has no faithful form in every tier. */
class Copier {
  bytes = 0;
  private = false;
  /** Original to copy, so that a part that is referred to twice stays one; `undefined` while being copied. */
  readonly #copies = new Map<object, unknown>();

  constructor(private readonly isForTier: boolean) {}

  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.bytes += stringBytes(value);
        // UTF-8, and so Redis, has no form for a lone surrogate: both tiers shall answer the same.
        return value.isWellFormed() ? value : value.toWellFormed();
      case 'number':
        this.bytes += numberBytes(value);
        return value === 0 ? 0 : value; // -0 has no form in MessagePack integers
      case 'bigint':
        this.bytes += bigintBytes(value);
        return value;
      case 'boolean':
      case 'undefined':
        return value;
      case 'object':
        return value === null ? null : this.#copyOnce(value, depth);
      default:
        throw new UncacheableValueError(`it holds a ${typeof value}`);
    }
  }

  #copyOnce(source: object, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new UncacheableValueError(`it is nested deeper than ${MAX_DEPTH} levels`);
    if (this.#copies.has(source)) {
      const copy = this.#copies.get(source);
      if (copy === undefined) throw new UncacheableValueError('it refers to itself');
      return copy;
    }
    this.#copies.set(source, undefined);
    const copy = this.#copyObject(source, depth + 1);
    this.#copies.set(source, copy);
    return copy;
  }

  #copyObject(source: object, depth: number): object {
    if (Array.isArray(source)) return this.#copyArray(source, depth);
    if (ArrayBuffer.isView(source)) return this.#copyBytes(source);
    if (types.isDate(source)) return this.#copyDate(source);
    if (types.isMap(source)) return this.#copyMap(source, depth);
    if (types.isSet(source)) return this.#copySet(source, depth);
    return this.#copyRecord(source, depth);
  }

  #keepPrivate<T extends object>(copy: T): T {
    this.private = true;
    return copy;
  }

  #freeze<T extends object>(copy: T): T {
    return this.isForTier ? Object.freeze(copy) : copy;
  }

  #copyDate(source: Date): Date {
    this.bytes += dateBytes();
    return this.#keepPrivate(new Date(source.getTime()));
  }

  #copyArray(source: readonly unknown[], depth: number): readonly unknown[] {
    const copy = new Array<unknown>(source.length);
    this.bytes += arrayBytes(source.length);
    for (let i = 0; i < source.length; i++) copy[i] = this.copy(source[i], depth);
    return this.#freeze(copy);
  }

  #copyBytes(source: ArrayBufferView): ArrayBufferView {
    this.bytes += bufferBytes(source.byteLength);
    // MessagePack has one kind of bytes; in Node they come back as Buffer.
    if (types.isUint8Array(source)) return this.#keepPrivate(this.#copyBuffer(source));
    const name = source.constructor.name;
    if (!TYPED_ARRAYS.has(name)) throw new UncacheableValueError(`it holds a ${name}`);
    return this.#keepPrivate((source as Int32Array).slice());
  }

  #copyBuffer(source: Uint8Array): Buffer {
    if (!this.isForTier) return Buffer.from(source);
    // Not from the pool of Node: one small value would keep all that happened to be beside it.
    const copy = Buffer.allocUnsafeSlow(source.byteLength);
    copy.set(source);
    return copy;
  }

  #copyMap(source: ReadonlyMap<unknown, unknown>, depth: number): ReadonlyMap<unknown, unknown> {
    const copy = this.#keepPrivate(new Map<unknown, unknown>());
    this.bytes += tableBytes(source.size, 3);
    for (const [key, value] of source) copy.set(this.copy(key, depth), this.copy(value, depth));
    return copy;
  }

  #copySet(source: ReadonlySet<unknown>, depth: number): ReadonlySet<unknown> {
    const copy = this.#keepPrivate(new Set<unknown>());
    this.bytes += tableBytes(source.size, 2);
    for (const value of source) copy.add(this.copy(value, depth));
    return copy;
  }

  #copyRecord(source: object, depth: number): Readonly<Record<string, unknown>> {
    const kind = Object.prototype.toString.call(source).slice(8, -1);
    if (kind !== 'Object') throw new UncacheableValueError(`it holds a ${kind}`);
    if (!isDataPrototype(Object.getPrototypeOf(source) as object | null)) {
      throw new UncacheableValueError(
        `it holds an instance of ${source.constructor.name}, a class with methods`,
      );
    }
    const copy: Record<string, unknown> = {};
    const names = Object.keys(source);
    this.bytes += recordBytes(names);
    for (const key of names) {
      if (key === '__proto__') throw new UncacheableValueError('it holds a key "__proto__"');
      copy[key.toWellFormed()] = this.copy((source as Record<string, unknown>)[key], depth);
    }
    return this.#freeze(copy);
  }
}

/**
 * Takes a value in: an own frozen copy, so that neither the giver nor a reader can change it later.
 * Instances of classes without methods become plain objects, as in `structuredClone`. O(size).
 * @throws {UncacheableValueError} for functions, symbols, cycles, classes with methods and the like.
 */
export function takeIn(value: unknown): StoredValue {
  const copier = new Copier(true);
  const copy = copier.copy(value, 0);
  return { value: copy, bytes: copier.bytes, private: copier.private };
}

/**
 * Hands a value out: the frozen value itself, or a copy when it holds parts that can not be frozen. With `clone` always
 * a copy, in which the caller may change everything. A copy is O(size).
 */
export function handOut(stored: StoredValue, clone = false): unknown {
  if (!clone && !stored.private) return stored.value;
  if (Buffer.isBuffer(stored.value)) return Buffer.from(stored.value);
  return new Copier(!clone).copy(stored.value, 0);
}
