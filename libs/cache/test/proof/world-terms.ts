import type { Instance } from './instances.js';

/** A namespace for each way of loading that is to be proven. */
export const NAMESPACES = {
  plain: { ttlMs: 60_000 },
  stale: { ttlMs: 150, staleWhileRevalidateMs: 200, staleIfErrorMs: 250, softTimeoutMs: 30 },
  cluster: { ttlMs: 60_000, singleFlight: 'cluster', leaseMs: 300 },
  /** Its values take so long to encode that others come in between. */
  large: { ttlMs: 400 },
} as const;
export type NamespaceName = keyof typeof NAMESPACES;

/** Fresh and stale time of an entry together, milliseconds. */
export const HARD_MS: Readonly<Record<NamespaceName, number>> = {
  plain: 60_000,
  stale: 400,
  cluster: 60_000,
  large: 400,
};
/** Compressed in the thread pool. */
export const fillerOf = (namespace: NamespaceName) => (namespace === 'large' ? 'filler '.repeat(20_000) : '');
/** Longest life of a copy in memory, shorter than that of some entries: the bound of staleness of an instance that is cut off. */
export const MEMORY_TTL_MS = 10_000;

export const WRITES = ['invalidate', 'many', 'set', 'tag', 'tagEverywhere', 'clear', 'flush'] as const;
export type HowToWrite = (typeof WRITES)[number];

/** What is stored: the state of the source, and when it was read or written. */
export interface Version {
  readonly version: number;
  /** A caller gave it; otherwise a loader read it. */
  readonly set?: boolean;
  readonly filler: string;
  readonly bornAt: number;
}

export interface Loading {
  readonly instance: Instance;
  readonly key: string;
  readonly finish: (fails: boolean) => void;
}

export interface Change {
  readonly key: string;
  readonly version: number;
  readonly by: Instance;
  /** Redis has it. */
  delivered: boolean;
  /**
   * For a `set`: the last write of another instance that came while this one was under way. Which of the two Redis executes
   * first is open, so its value may rightly stand in for that version.
   */
  standsFor: number;
}

/** One call, and what it may be answered with. */
export interface Question {
  readonly instance: Instance;
  readonly key: string;
  readonly namespace: NamespaceName;
  readonly atLeast: number;
  readonly askedAt: number;
}
