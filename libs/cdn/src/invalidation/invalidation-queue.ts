import { type PurgeKind } from '../providers/purge-provider.js';
import { type PurgeTarget } from './purge-target.js';

export type InvalidationState = 'pending' | 'sending' | 'done' | 'failed';

/** One target at one provider: a line of the pending list or of the history. */
export interface Invalidation {
  readonly id: string;
  readonly provider: string;
  readonly target: PurgeTarget;
  readonly soft: boolean;
  readonly state: InvalidationState;
  /** How many calls asked for it while it was pending. */
  readonly requests: number;
  /** How often it was sent without success. */
  readonly attempts: number;
  /** Of the first call. */
  readonly requestedAt: Date;
  /** Not sent before. */
  readonly notBefore: Date;
  /** `null` until it is done or failed. */
  readonly endedAt: Date | null;
  /** What it was sent as, wider than asked for when many came together; `null` until it was sent. */
  readonly sentAs: PurgeKind | null;
  /** A probe saw a fresh copy; `null`: not looked at. */
  readonly verified: boolean | null;
  /** The last failure. */
  readonly error: string | null;
  /** It was refused together with others, so it is sent alone. */
  readonly alone: boolean;
}

export interface NewInvalidation {
  readonly provider: string;
  readonly target: PurgeTarget;
  readonly soft: boolean;
}

/** How purges that were sent ended. */
export interface SentPurges {
  readonly sentAs: PurgeKind;
  readonly verified: boolean | null;
}

/** Why purges wait again. */
export interface Postponement {
  readonly error: string;
  readonly delayMs: number;
  /** It was the purges' own attempt that failed, and not the provider's turn to wait. */
  readonly countsAsAttempt: boolean;
  readonly alone?: boolean;
}

/** Of one provider, for the metrics. */
export interface PendingCount {
  readonly provider: string;
  readonly pending: number;
  /** Of the oldest one that is not done, milliseconds; 0 when there is none. */
  readonly oldestAgeMs: number;
}

/**
 * Where purges wait. A target that is pending is kept once; one that is being sent may be asked for again and is then
 * sent again, as what it purged may have been replaced in between.
 *
 * @throws {InvalidationQueueUnavailableError} from every method
 */
export interface InvalidationQueue {
  /** @returns one line for each entry, in their order; those that were pending already have more `requests` */
  add(entries: readonly NewInvalidation[]): Promise<Invalidation[]>;
  /** What may be sent now, oldest first: pending and due, or taken by a process that died. */
  due(provider: string, limit: number): Promise<Invalidation[]>;
  /** Milliseconds until something is due, 0 when it is; `undefined` when nothing is pending. */
  nextDueMs(provider: string): Promise<number | undefined>;
  /** Takes them for sending. @returns the ids that this caller has now; others were faster with the rest */
  claim(ids: readonly string[], leaseMs: number): Promise<string[]>;
  succeed(ids: readonly string[], sent: SentPurges): Promise<void>;
  /** Back to pending. What was asked for again meanwhile is one with it. */
  postpone(ids: readonly string[], why: Postponement): Promise<void>;
  /** For good. */
  fail(ids: readonly string[], error: string): Promise<void>;
  /** Pending and being sent, oldest first. */
  pending(limit: number): Promise<Invalidation[]>;
  /** Done and failed, newest first. */
  history(limit: number): Promise<Invalidation[]>;
  counts(): Promise<PendingCount[]>;
}
