import { currentRequestTiming, type RequestTiming } from '@peregrine/metrics';
import { type QueryEnd, type TappedQuery } from '@peregrine/query-optimizer';

/** The phase of a request in which PostgreSQL works for it. */
const PHASE = 'database';

/** Fingerprints that are kept of one request; the others are counted together. */
const MAX_FINGERPRINTS = 20;
const OTHERS = 'others';

/** What one request asked of PostgreSQL, by groups of statements that differ in their constants only. */
export interface RequestStatement {
  /** As in the report of the query optimizer. */
  readonly fingerprint: string;
  readonly calls: number;
  /** All calls together, milliseconds. */
  readonly totalMs: number;
}

const statements = new WeakMap<RequestTiming, Map<string, { calls: number; totalMs: number }>>();

/** Gives the time of a statement to the request that sent it, and keeps its fingerprint there. */
export function statementOfRequest({ statement }: Pick<TappedQuery, 'statement'>): QueryEnd | undefined {
  const timing = currentRequestTiming();
  if (!timing) return undefined;
  const leave = timing.enter(PHASE);
  return ({ durationMs }) => {
    leave();
    note(timing, statement?.fingerprint ?? 'unknown', durationMs);
  };
}

/** What took longest first. */
export function statementsOf(timing: RequestTiming): RequestStatement[] {
  return [...(statements.get(timing) ?? [])]
    .map(([fingerprint, { calls, totalMs }]) => ({
      fingerprint,
      calls,
      totalMs: Math.round(totalMs * 1_000) / 1_000,
    }))
    .sort((a, b) => b.totalMs - a.totalMs);
}

function note(timing: RequestTiming, fingerprint: string, durationMs: number): void {
  const groups = statements.get(timing) ?? new Map<string, { calls: number; totalMs: number }>();
  statements.set(timing, groups);
  const key = groups.has(fingerprint) || groups.size < MAX_FINGERPRINTS ? fingerprint : OTHERS;
  const group = groups.get(key) ?? { calls: 0, totalMs: 0 };
  group.calls++;
  group.totalMs += durationMs;
  groups.set(key, group);
}
