/** What a purge can name. */
export const PURGE_KINDS = ['path', 'wildcard', 'tag', 'everything'] as const;
export type PurgeKind = (typeof PURGE_KINDS)[number];

/** How fast a provider takes purges: a token bucket. Kinds with the same `bucket` share it. */
export interface PurgeRate {
  readonly bucket: string;
  /** Tokens that flow in. */
  readonly ratePerSecond: number;
  /** Tokens that the bucket holds; whole, at least the largest cost of one request. */
  readonly burst: number;
  /** A request takes one token, or one for each of its values. */
  readonly cost: 'request' | 'value';
}

/** What a provider can do with one kind of purge. */
export interface PurgeKindLimits {
  /** Most values in one request. */
  readonly perRequest: number;
  /** More pending values than this become a wider purge: many paths a wildcard, many tags everything. */
  readonly escalateAbove: number;
  readonly rate: PurgeRate;
  /** Whether it can mark as stale, instead of removing. */
  readonly soft: boolean;
}

/** By kind; one that is absent is not supported and becomes a wider purge. Everything can purge everything. */
export type PurgeLimits = Readonly<Partial<Record<PurgeKind, PurgeKindLimits>>> &
  Readonly<Record<'everything', PurgeKindLimits>>;

/** One request to a provider. */
export interface PurgeRequest {
  readonly kind: PurgeKind;
  /** Paths (`/a?b`), wildcards (`/a/*`) or surrogate keys; empty for everything. */
  readonly values: readonly string[];
  /** Mark as stale: the old copy may be served while a new one is fetched, or while the origin is away. */
  readonly soft: boolean;
}

/** Something that keeps copies of our answers and can be told to drop them. */
export interface PurgeProvider {
  /** Unique among the configured ones; in records and metrics. */
  readonly name: string;
  readonly limits: PurgeLimits;
  /**
   * Sends one request, within the limits. A purge is idempotent: after a failure it is sent again.
   *
   * @throws {PurgeFailedError}
   * @throws the signal's reason
   */
  purge(request: PurgeRequest, signal: AbortSignal): Promise<void>;
}
