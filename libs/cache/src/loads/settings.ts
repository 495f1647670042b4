import { InvalidTtlError } from '../cache.errors.js';
import type { LoadOptions, NamespaceOptions } from '../cache.options.js';
import type { Placement } from '../target.js';

/** Options of one entry. */
export interface CacheEntryOptions extends LoadOptions {
  /** How long the entry is fresh, whole milliseconds. @default the namespace's `ttlMs` */
  readonly ttlMs?: number;
  /** Names under which the entry can be invalidated together with others, at most 500. Give a key the same tags always. */
  readonly tags?: readonly string[];
  /** Hashes of the content from which the value was made: it dies when `invalidateContent` names one of them. */
  readonly contentHashes?: readonly string[];
}

/** Options of a call that may load. */
export interface CacheLoadOptions extends CacheEntryOptions {
  /** Ends this caller's wait; the loader is aborted when nobody else waits. */
  readonly signal?: AbortSignal;
}

/** All there is to know about one call: the namespace's defaults under the call's options. */
export interface Settings extends Omit<LoadOptions, keyof Placement>, Placement {
  readonly ttlMs: number;
  readonly tags?: readonly string[];
  readonly contentHashes?: readonly string[];
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly jitter: number;
  readonly errorTtlMs: number;
  readonly undefinedTtlMs: number;
  readonly clone: boolean;
  /** Undefined: the flight is shared in this process only. */
  readonly clusterLeaseMs: number | undefined;
}

const DEFAULTS = {
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  earlyRefresh: 0,
  jitter: 0,
  errorTtlMs: 0,
  undefinedTtlMs: 0,
  clone: false,
  tiers: 'auto',
} as const;
const LEASE_MS = 5_000;

/** Times that a call may give. They may be 0, but for those that are limits. */
const SPANS = [
  'staleWhileRevalidateMs',
  'staleIfErrorMs',
  'errorTtlMs',
  'nullTtlMs',
  'undefinedTtlMs',
] as const;
const LIMITS = ['ttlMs', 'softTimeoutMs', 'hardTimeoutMs', 'leaseMs'] as const;

/** @throws {InvalidTtlError} for a time that is not a whole number of milliseconds. */
export function settle(namespace: NamespaceOptions, call: CacheEntryOptions = {}): Settings {
  for (const name of LIMITS) checkTime(name, call[name], 1);
  for (const name of SPANS) checkTime(name, call[name], 0);
  const merged = { ...DEFAULTS, ...namespace, ...given(call) };
  return {
    ...merged,
    clusterLeaseMs: merged.singleFlight === 'cluster' ? (merged.leaseMs ?? LEASE_MS) : undefined,
  };
}

/** An option that is there and undefined is one that was not given. */
function given(call: CacheEntryOptions): CacheEntryOptions {
  for (const value of Object.values(call)) {
    if (value === undefined)
      return Object.fromEntries(Object.entries(call).filter((it) => it[1] !== undefined));
  }
  return call;
}

function checkTime(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new InvalidTtlError(value, name);
}

/** Life of a value, milliseconds; 0 is not stored. */
export function lifeOf(value: unknown, settings: Settings, random = Math.random): number {
  const { ttlMs, nullTtlMs = ttlMs, undefinedTtlMs, jitter } = settings;
  const lifeMs = value === undefined ? undefinedTtlMs : value === null ? nullTtlMs : ttlMs;
  return shortened(lifeMs, jitter, random);
}

/** Takes up to a share `jitter` off, so that what was stored together does not expire together. */
export function shortened(lifeMs: number, jitter: number, random = Math.random): number {
  return jitter === 0 || lifeMs === 0 ? lifeMs : Math.max(1, Math.round(lifeMs * (1 - jitter * random())));
}

/** How long a value may be served at all. */
export function hardLife(freshMs: number, settings: Settings): number {
  return freshMs + Math.max(settings.staleWhileRevalidateMs, settings.staleIfErrorMs);
}
