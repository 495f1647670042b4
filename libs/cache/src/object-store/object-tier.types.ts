import type { Codec } from '../codec/codec.js';
import type { Scope } from '../coherence/scopes.js';
import type { EntryDraft, NotedGenerations, TierEntry } from '../entry.js';

/** How the entries of one namespace are kept. */
export interface ObjectFormat {
  /** For values; it compresses and encrypts. */
  readonly codec: Pick<Codec, 'version' | 'encode' | 'decode'>;
  /** For streams of bytes. `refused` where the namespace is encrypted: a stream would lie there in clear. */
  readonly streams: 'compressed' | 'plain' | 'refused';
}

export interface ObjectTierOptions {
  /** Before every key; keep it different for each deployment on one store. */
  readonly prefix: string;
  /** Longest life of an object, milliseconds. */
  readonly ttlMs: number;
  readonly formatOf: (entry: Scope) => ObjectFormat;
  /**
   * Notes the generations of scopes that an object depends on beside those that its reader has noted (tags that were
   * added while loading). Without it such an object is a miss.
   */
  readonly note?: (entry: Scope, scopes: readonly Scope[]) => Promise<NotedGenerations | undefined>;
  /** Is told what went wrong, for the log; callers only see a miss, or that nothing was kept. */
  onProblem?(error: unknown): void;
  /** Milliseconds since 1970. @default the wall clock, which never goes back for a running process */
  readonly now?: () => number;
}

/** An entry that is kept as a stream of bytes, without them. */
export type StreamDraft = Omit<EntryDraft, 'value'>;
export type StreamEntry = Omit<TierEntry, 'value'>;
