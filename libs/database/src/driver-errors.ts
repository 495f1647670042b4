import { ConnectionLostError, DatabaseUnavailableError } from './database.errors.js';

const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** Class 08 (connection) and these, from the appendix "PostgreSQL Error Codes". */
const UNAVAILABLE_STATES = new Set([
  '53300', // too many connections
  '57014', // the statement took longer than statement_timeout
  '57P01', // shut down by an administrator
  '57P02', // another backend crashed
  '57P03', // starting up, or recovering
]);

/** What the pool of the query optimizer says when there is no connection to be had. */
const POOL_CODES = new Set(['POOL_ACQUIRE_TIMEOUT', 'POOL_EXHAUSTED', 'POOL_CLOSED']);

/** The pg driver gives these errors no code. */
const UNAVAILABLE_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|Cannot use a pool after calling end)/;

const UNIQUE_VIOLATION = new Set(['23505']);
/** From 18 on, PostgreSQL calls the refusal by ON DELETE RESTRICT a restrict_violation. */
const FOREIGN_KEY_VIOLATION = new Set(['23503', '23001']);
const RETRYABLE = new Set(['40001', '40P01']);
const ABORTED = new Set(['25P02']);
/** Waiting does not heal these: wrong password, no such role, no access. */
const REFUSED = new Set(['28P01', '28000']);

interface DriverError {
  readonly code?: unknown;
  readonly constraint?: unknown;
  readonly message?: unknown;
}

/** @param constraint only a violation of this constraint or unique index */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return violates(error, UNIQUE_VIOLATION, constraint);
}

/** @param constraint only a violation of this constraint */
export function isForeignKeyViolation(error: unknown, constraint?: string): boolean {
  return violates(error, FOREIGN_KEY_VIOLATION, constraint);
}

/**
 * Is the database away, overloaded, or too slow? True for refused and broken connections, time-outs (a statement's
 * too), shut-down and start-up. The same request may succeed later: answer 503.
 */
export function isUnavailable(error: unknown): boolean {
  return chain(error).some(
    (it) =>
      it instanceof DatabaseUnavailableError ||
      it instanceof ConnectionLostError ||
      isUnavailableCode((it as DriverError).code) ||
      UNAVAILABLE_MESSAGES.test(String((it as DriverError).message)),
  );
}

/** A serialization failure or a deadlock: PostgreSQL asks to run the whole transaction again. */
export function isRetryable(error: unknown): boolean {
  return hasCode(error, RETRYABLE);
}

/** Statements are refused because an earlier one of the transaction failed. */
export function isAborted(error: unknown): boolean {
  return hasCode(error, ABORTED);
}

export function isRefused(error: unknown): boolean {
  return hasCode(error, REFUSED);
}

/** The innermost message, which is the driver's own. Never holds a password. */
export function driverMessage(error: unknown): string {
  const texts = chain(error).flatMap((it) => {
    const { message, code } = it as DriverError;
    return [message, code].find((text) => typeof text === 'string' && text !== '') ?? [];
  });
  return String(texts.at(-1) ?? error);
}

function isUnavailableCode(code: unknown): boolean {
  return (
    typeof code === 'string' &&
    (SYSTEM_CODES.has(code) || UNAVAILABLE_STATES.has(code) || POOL_CODES.has(code) || /^08...$/.test(code))
  );
}

function violates(error: unknown, states: ReadonlySet<string>, constraint: string | undefined): boolean {
  return chain(error).some((it) => {
    const { code, constraint: name } = it as DriverError;
    return states.has(String(code)) && (constraint === undefined || name === constraint);
  });
}

function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  return chain(error).some((it) => codes.has(String((it as DriverError).code)));
}

/** The error with all that it wraps: TypeORM's `driverError`, `cause`, the parts of an AggregateError. */
function chain(error: unknown, depth = 0): object[] {
  if (typeof error !== 'object' || error === null || depth > 8) return [];
  const { driverError, cause, errors } = error as {
    driverError?: unknown;
    cause?: unknown;
    errors?: unknown;
  };
  const inner: unknown[] = [driverError, cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return [error, ...inner.flatMap((it) => chain(it, depth + 1))];
}
