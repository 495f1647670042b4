import type { Scope } from './coherence/scopes.js';

/** What a tier is asked to keep. Durations count from now; no wall clock is compared between machines. */
export interface EntryDraft {
  /** In stored form (`takeIn`); `undefined` where the caller chose to cache it. */
  readonly value: unknown;
  /** Milliseconds for which the entry is fresh. */
  readonly freshMs: number;
  /** Milliseconds after which no caller may get it: the fresh time and the stale time behind it. */
  readonly hardMs: number;
  /** What its load cost, milliseconds; 0 when it was set by a caller. */
  readonly loadMs: number;
  /** Milliseconds since 1970 on the machine that loaded it; information for people and loaders only. */
  readonly createdAt: number;
  /** Validators of the origin, for a conditional load (RFC 9110, section 8.8). */
  readonly etag?: string;
  readonly lastModified?: string;
}

/** What a tier gives back: the draft with what is left of its times (`freshMs` is 0 or less when stale). */
export interface TierEntry extends EntryDraft {
  /** The namespace and the tags it depends on. */
  readonly scopes: readonly Scope[];
}

/**
 * The generations a load has to find unchanged when it stores. After a restart of Redis the keys have other names,
 * so that what was noted before is found unchanged nowhere.
 */
export interface NotedGenerations {
  readonly scopes: readonly Scope[];
  readonly key: Buffer;
  readonly tokens: readonly Buffer[];
}
