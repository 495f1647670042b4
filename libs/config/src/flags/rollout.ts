/** For which share of keys a feature is on, percent from 0 to 100, in steps of 0.01. */
export interface ScopedRollout {
  readonly percent: number;
  /** Other shares for parts of the feature by name, such as the namespaces of the cache. */
  readonly scopes: Readonly<Record<string, number>>;
}

/** What an override changes; see {@link withOverride}. */
export interface RolloutOverride {
  /** For the whole feature: replaces all that was configured, parts included. Absent: it is left alone. */
  readonly percent?: number;
  /** For parts of it. */
  readonly scopes?: Readonly<Record<string, number>>;
}

/** The rollout that holds while an override is in force. */
export function withOverride(
  configured: ScopedRollout,
  override: RolloutOverride | undefined,
): ScopedRollout {
  const base = override?.percent === undefined ? configured : { percent: override.percent, scopes: {} };
  return { percent: base.percent, scopes: { ...base.scopes, ...override?.scopes } };
}
