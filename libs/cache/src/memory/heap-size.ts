import { types } from 'node:util';

/**
 * Bytes that V8 (64 bit, without pointer compression, as Node has it) takes for values. Measured by
 * `tools/bench/src/cache/memory-accuracy.ts`, to within a quarter.
 */
const WORD = 8;
/** A number in a field that is no 32-bit integer lives in a box of its own. */
const BOXED_NUMBER_BYTES = 16;
const STRING_HEADER_BYTES = 16;
const OBJECT_HEADER_BYTES = 24;
/** Objects are made with this many places; more fields go to a list that grows by three. */
const OBJECT_SLOTS = 4;
/** What a name costs in the shape of objects that no other object shares, beside its characters. */
const NAME_BYTES = 56;
/** Names that are remembered as shared; more than programs write down, few enough to hold. */
const KNOWN_NAMES = 10_000;
const LONGEST_KNOWN_NAME = 64;
const ARRAY_BYTES = 48;
/** View, ArrayBuffer and what the allocator keeps, beside the bytes themselves. */
const BUFFER_BYTES = 220;
const DATE_BYTES = 96;
const MAP_BYTES = 80;
const BIGINT_HEADER_BYTES = 16;
/** What is none of the known kinds; a guess. */
const OTHER_BYTES = 64;

const NOT_LATIN1 = /[^\0-\xff]/;

/** A string, with its header: one byte a character if all are Latin-1, two otherwise. */
export function stringBytes(text: string): number {
  const width = NOT_LATIN1.test(text) ? 2 : 1;
  return STRING_HEADER_BYTES + alignedToWord(width * text.length);
}

/** What a number takes beside the place that refers to it. */
export const numberBytes = (value: number): number => ((value | 0) === value ? 0 : BOXED_NUMBER_BYTES);

export function bigintBytes(value: bigint): number {
  const size = value < 2n ** 64n && value > -(2n ** 64n) ? 1 : Math.ceil(value.toString(16).length / 16);
  return BIGINT_HEADER_BYTES + WORD * size;
}

const knownNames = new Set<string>();

/**
 * An object with these fields, without what they hold. Objects of one shape share their names, so a name counts when
 * it is new: those that are data, as in a dictionary by id, are new each time.
 */
export function recordBytes(names: readonly string[]): number {
  let bytes = OBJECT_HEADER_BYTES + OBJECT_SLOTS * WORD;
  if (names.length > OBJECT_SLOTS) bytes += 16 + WORD * 3 * Math.ceil((names.length - OBJECT_SLOTS) / 3);
  for (const name of names) if (!knownNames.has(name)) bytes += newNameBytes(name);
  return bytes;
}

function newNameBytes(name: string): number {
  if (knownNames.size >= KNOWN_NAMES) knownNames.clear();
  if (name.length <= LONGEST_KNOWN_NAME) knownNames.add(name);
  return NAME_BYTES + stringBytes(name);
}

/** An array of this length, without what it refers to. */
export const arrayBytes = (length: number): number => ARRAY_BYTES + WORD * length;

/** A Map or Set, without what it refers to: its table has a power of two of places, each of so many words. */
export function tableBytes(size: number, wordsEach: 2 | 3): number {
  return MAP_BYTES + (WORD * wordsEach + WORD / 2) * 2 ** Math.ceil(Math.log2(Math.max(4, size)));
}

export const bufferBytes = (length: number): number => BUFFER_BYTES + length;

export const dateBytes = (): number => DATE_BYTES;

/** What a `MemoryTier` takes for an entry, its key included and its value not. */
export const entryBytes = (key: string): number => 130 + stringBytes(key);

/**
 * The heap that a value takes, bytes; an estimate. Nothing is serialised, parts that are referred to twice count once,
 * and what is not data (functions, handles) counts little. O(parts); the length of a string matters only if it has
 * characters outside Latin-1.
 */
export function estimateBytes(value: unknown): number {
  const seen = new Set<object>();
  const pending: unknown[] = [value];
  let bytes = 0;
  while (pending.length > 0) {
    const part = pending.pop();
    if (typeof part !== 'object' || part === null) {
      bytes += primitiveBytes(part);
    } else if (!seen.has(part)) {
      seen.add(part);
      bytes += objectBytes(part, pending);
    }
  }
  return bytes;
}

function primitiveBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return stringBytes(value);
    case 'number':
      return numberBytes(value);
    case 'bigint':
      return bigintBytes(value);
    case 'function':
      return OTHER_BYTES;
    default:
      return 0;
  }
}

/** The object itself; its parts are put with those that are pending. */
function objectBytes(value: object, pending: unknown[]): number {
  if (Array.isArray(value)) {
    // An array of nothing but numbers holds them itself, unless it is frozen.
    if (!Object.isFrozen(value) && value.every((part) => typeof part === 'number'))
      return arrayBytes(value.length);
    for (const part of value as unknown[]) if (!isSmall(part)) pending.push(part);
    return arrayBytes(value.length);
  }
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return bufferBytes(value.byteLength);
  if (types.isDate(value)) return dateBytes();
  if (types.isMap(value)) {
    for (const [key, part] of value) pending.push(key, part);
    return tableBytes(value.size, 3);
  }
  if (types.isSet(value)) {
    for (const part of value) pending.push(part);
    return tableBytes(value.size, 2);
  }
  for (const part of Object.values(value) as unknown[]) if (!isSmall(part)) pending.push(part);
  return recordBytes(Object.keys(value));
}

/** Takes nothing beside the place that refers to it. */
const isSmall = (value: unknown) => typeof value === 'number' && (value | 0) === value;

const alignedToWord = (bytes: number) => Math.ceil(bytes / WORD) * WORD;
