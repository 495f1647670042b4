/** What is known of a call that failed. */
export interface CallFailure {
  /** Undefined: there was no answer. */
  readonly status: number | undefined;
  /** `error.code` or `error.type` of the body. */
  readonly providerCode: string | undefined;
  readonly header: (name: string) => string | null;
}

/** First wait between two attempts, and the longest that is not asked for, milliseconds. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
/** Callers that failed together shall not come again together: up to this share is taken off. */
const JITTER = 0.25;

/** Codes of a 429 that no waiting heals: credit, spending and usage limits. */
const EXHAUSTED: ReadonlySet<string> = new Set([
  ...['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active', 'quota_exceeded'],
  ...['credit_balance_too_low', 'spend_limit_reached', 'usage_limit_reached', 'access_terminated'],
]);

export function isQuotaExhausted({ providerCode = '' }: CallFailure): boolean {
  return EXHAUSTED.has(providerCode);
}

/**
 * Whether the same call may succeed in a while. The error's code is looked at before its status, since some 429 never heal; then the
 * provider's own word (`x-should-retry`), then the status.
 */
export function isWorthRetrying(failure: CallFailure): boolean {
  if (isQuotaExhausted(failure)) return false;
  const stated = failure.header('x-should-retry');
  if (stated === 'true' || stated === 'false') return stated === 'true';
  const { status } = failure;
  return status === undefined || status === 408 || status === 409 || status === 429 || status >= 500;
}

/**
 * How long to wait before the next attempt: as the provider asks (`retry-after-ms`, or `Retry-After` in seconds or as a
 * date), else 0.5 s doubled with each attempt up to 8 s, less up to a quarter.
 *
 * @param attempt the one that failed, from 1
 */
export function waitBeforeRetryMs(
  { header }: CallFailure,
  attempt: number,
  { random = Math.random, now = Date.now }: { random?: () => number; now?: () => number } = {},
): number {
  const asked = askedWaitMs(header, now());
  if (asked !== undefined) return asked;
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS) * (1 - JITTER * random());
}

function askedWaitMs(header: CallFailure['header'], nowMs: number): number | undefined {
  const ms = numberOf(header('retry-after-ms'));
  if (ms !== undefined) return ms;
  const stated = header('retry-after');
  const seconds = numberOf(stated);
  if (seconds !== undefined) return seconds * 1_000;
  const date = stated === null ? Number.NaN : Date.parse(stated);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** What is no decimal number, negative or absurd is as if it were not there. */
function numberOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}(?:\.\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}
