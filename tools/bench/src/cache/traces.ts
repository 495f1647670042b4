import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** Requests in order; keys are numbered 0, 1, … as they come first. */
export interface Trace {
  readonly name: string;
  readonly requests: Int32Array;
  readonly keyCount: number;
  /** Cache sizes to measure, entries. */
  readonly sizes: readonly number[];
}

const LOOP_PASSES = 500;
const LOOP_KEYS = 1_011;

/** A recorded trace of `tools/bench/data`, see the README there. */
async function readTrace(file: string): Promise<Int32Array> {
  const packed = await readFile(new URL(`../../data/${file}.trace.gz`, import.meta.url));
  const bytes = await promisify(gunzip)(packed);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32BE(4 * i));
}

function numbered(name: string, keys: Int32Array, sizes: readonly number[]): Trace {
  const numbers = new Map<number, number>();
  const requests = keys.map((key) => {
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  });
  return { name, requests, keyCount: numbers.size, sizes };
}

/** Passes over a few more keys than the cache holds: whoever keeps the newest never hits. */
export const loopTrace = (): Trace =>
  numbered(
    'loop',
    Int32Array.from({ length: LOOP_PASSES * LOOP_KEYS }, (_, i) => i % LOOP_KEYS),
    [256, 512, 1_000],
  );

/** Requests of a web page. */
export const web07Trace = async (): Promise<Trace> =>
  numbered('web07', await readTrace('web07'), [75, 300, 600, 1_200]);

/** Database objects; kind to LRU. The first million requests of the recorded five. */
export const ormNightTrace = async (): Promise<Trace> =>
  numbered('orm-night', await readTrace('orm-night-1m'), [250, 500, 1_000]);

/** All that are measured. */
export const allTraces = async (): Promise<Trace[]> => [
  await web07Trace(),
  await ormNightTrace(),
  loopTrace(),
];
