/** Life of every entry, milliseconds; longer than any measurement. */
export const TTL_MS = 600_000;

/** Brings the value that is missing. */
export type Load = () => Promise<unknown>;

/** Names an entry can be invalidated by. */
export type Tags = readonly [string, string, string];

/** How to set a library up. */
export interface OpenOptions {
  /** Bound of the entries in memory, for the libraries that have one. */
  readonly maxEntries: number;
  /** Absent: memory only. */
  readonly redisUrl?: string;
  /** One load for all processes, for the libraries that can. @default false */
  readonly isClusterFlight?: boolean;
  /** Entries carry their tags, for the libraries that have tags. @default false */
  readonly withTags?: boolean;
}

/**
 * One library under test. What it can not do is absent. What a verb returns is a promise unless the variant says
 * `isSync`: the measuring loop awaits exactly where an application has to.
 */
export interface Subject {
  readonly get: (key: string) => unknown;
  readonly set: (key: string, value: unknown, tags: Tags) => unknown;
  readonly getOrSet?: (key: string, load: Load, tags: Tags) => unknown;
  /** In the order of the keys; absent where a library has no such verb. */
  readonly getMany?: (keys: string[]) => Promise<readonly unknown[]>;
  readonly invalidate?: (key: string) => Promise<unknown>;
  readonly invalidateTag?: (tag: string) => Promise<unknown>;
  readonly close?: () => Promise<unknown>;
}

/** A library that can load what is missing. */
export type LoadingSubject = Subject & Required<Pick<Subject, 'getOrSet'>>;
