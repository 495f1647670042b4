/** What an operator can do. */
export type ActionName =
  | 'cache.flush'
  | 'flag.set'
  | 'flag.reset'
  | 'dead-letters.redrive'
  | 'dead-letters.purge'
  | 'cdn.purge'
  | 'index.apply'
  | 'index.revert';

/** Something that an operator has asked for, and what came of it, as the audit has it. */
export interface RecentAction {
  /** Of the first event of it. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  /** Name of the API key at that time. */
  readonly actor: string;
  readonly action: string;
  /** To what: `cache/search`, `index-recommendation/9d1b7a40c2ef`. */
  readonly subject: string;
  /** `under way`: nothing came of it yet, or nothing that anybody could write down. */
  readonly outcome: 'under way' | 'done' | 'failed' | 'refused';
  /** What came of it; before, what was asked for. */
  readonly detail: string | null;
  /** ISO 8601; null while it is under way. */
  readonly endedAt: string | null;
  /** How far the task is that does it; null without one, or when it has ended. */
  readonly progress: string | null;
}

export interface ActionsFigures {
  /** The newest first. */
  readonly recent: readonly RecentAction[];
  /** Why they are old or missing; null when they are not. */
  readonly problem: string | null;
}

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
