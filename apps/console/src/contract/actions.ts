/** What an operator can do. */
export type ActionName =
  'cache.flush' | 'flag.set' | 'flag.reset' | 'dead-letters.redrive' | 'dead-letters.purge' | 'cdn.purge';

/** After an action. */
export interface ActionAnswer {
  /** One sentence for the operator. */
  readonly message: string;
}

/** Who is logged in. */
export interface SessionAnswer {
  /** Goes as `X-CSRF-Token` with every request that changes something. */
  readonly csrfToken: string;
  /** ISO 8601; a request in time renews it. */
  readonly expiresAt: string;
  readonly actionsEnabled: boolean;
}
