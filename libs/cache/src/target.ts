import { createHash } from 'node:crypto';
import { InvalidTagsError } from './cache.errors.js';
import type { LoadOptions } from './cache.options.js';
import type { Scope } from './coherence/scopes.js';
import type { EntryDraft, NotedGenerations } from './entry.js';
import type { StoredValue } from './memory/stored-value.js';
import type { Lease } from './redis/redis-tier.js';

/** What one call is about. `at` is the logical time noted before anything was read. */
export interface Target {
  readonly key: string;
  readonly address: string;
  readonly scope: Scope;
  readonly dependencies: readonly Scope[];
  readonly tagSlots: Uint32Array | undefined;
  readonly at: number;
}

/** A value from a tier, with absolute times of the cache's clock. */
export interface Found {
  readonly stored: StoredValue;
  readonly freshUntil: number;
  readonly hardUntil: number;
  readonly loadMs: number;
  readonly createdAt: number;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** What the tiers below memory answered, and what a load that follows needs to store its value. */
export interface Below {
  readonly found?: Found;
  readonly noted?: NotedGenerations;
  readonly lease?: Lease | 'held';
}

/** A value to keep, beside the times that count from now. */
export type Draft = Omit<EntryDraft, 'value'> & { readonly stored: StoredValue };

/** Where to look and to keep, as the call wants it. */
export interface Placement {
  readonly tiers: NonNullable<LoadOptions['tiers']>;
  /** Weight of early refresh, see `LoadOptions.earlyRefresh`. */
  readonly earlyRefresh: number;
}

/** Names under which content is invalidated by its hash. */
export const contentTag = (hash: string): string => `content-hash:${hash}`;

/** Above it a key is replaced by its beginning and its hash, bytes of UTF-8. */
const MAX_KEY_BYTES = 1_024;
const READABLE_PREFIX = 200;
/** An entry with more dependencies than this costs more to check than to load. */
export const MAX_TAGS = 500;
/** -ln of the smallest number above 0 that `Math.random` gives: no early refresh happens sooner. */
export const EARLIEST_REFRESH = 36.8;

/** A key that fits into every tier, readable at its beginning. */
export function shorten(key: string): string {
  if (key.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(key) <= MAX_KEY_BYTES) return key;
  const hash = createHash('sha256').update(key).digest('base64url');
  return `${key.slice(0, READABLE_PREFIX).toWellFormed()}~${hash}`;
}

/** @throws {InvalidTagsError} for what is no text, or none at all. */
export function assertTag(tag: unknown): void {
  if (typeof tag === 'string' && tag !== '') return;
  throw new InvalidTagsError(`a tag must be a text of one character or more, not ${JSON.stringify(tag)}`);
}
