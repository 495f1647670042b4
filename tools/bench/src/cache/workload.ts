import { seededRandom, zipfOrder } from '../harness/random.ts';
import type { Tags } from './libraries/contract.ts';

/** What is stored: small, with the kinds of fields that a row of a database has. */
export interface SampleValue {
  readonly id: string;
  readonly name: string;
  readonly price: number;
  readonly isActive: boolean;
  readonly labels: readonly string[];
}

/** Keys, their values and tags, and the order of the requests, all made before the clock runs. */
export interface Workload {
  readonly keys: readonly string[];
  /** A different value object for every call. */
  readonly valueOf: (key: string) => SampleValue;
  readonly tagsOf: readonly Tags[];
  /** Indices into `keys`; its length is a power of two, to be walked round and round. */
  readonly order: Uint32Array;
}

const ORDER_LENGTH = 1 << 16;

/** The same for every library and every run. */
export function createWorkload(keyCount: number): Workload {
  const keys = Array.from({ length: keyCount }, (_, i) => `product:${i}`);
  return {
    keys,
    valueOf: (key) => ({
      id: key,
      name: `Product ${key}`,
      price: key.length * 1.25,
      isActive: true,
      labels: ['new', 'sale'],
    }),
    tagsOf: keys.map((key, i) => [key, `category:${i % 100}`, `tenant:${i % 10}`] as const),
    order: zipfOrder(keyCount, ORDER_LENGTH, seededRandom(42)),
  };
}
