import { CacheRedisError } from '../cache.errors.js';
import { SESSION_OVER } from './lua-fragments.js';

/** A command was not answered in time. */
export class RedisDeadlineError extends Error {
  constructor(readonly timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

/**
 * What an error of a command says:
 *   moved    the bucket is on another server
 *   moving   it is on its way there, or the cluster does not know where it is
 *   session  the bucket was started anew by another process
 *   full     Redis has no room for what would be written
 *   state    this server is not what it was taken for; a recovery finds out
 *   refused  any other answer that is an error
 *   silent   no answer
 */
export type Fault = 'moved' | 'moving' | 'session' | 'full' | 'state' | 'refused' | 'silent';

const MOVING = /^(ASK|TRYAGAIN|CLUSTERDOWN) |non local key/;
const STATE = /^(NOSCRIPT|READONLY|LOADING|MASTERDOWN|UNBLOCKED|NOREPLICAS|NOAUTH|MISCONF) /;
const AUTH = /^(WRONGPASS|NOAUTH|NOPERM)\b|invalid password|AUTH .*called without|client sent AUTH/i;
const UNSUPPORTED = /unknown (sub)?command|cluster support disabled|No such master/i;

/** See {@link Fault}. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error) || error instanceof RedisDeadlineError) return 'silent';
  const { message } = error;
  if (message.includes(SESSION_OVER)) return 'session';
  if (message.startsWith('MOVED ')) return 'moved';
  if (MOVING.test(message)) return 'moving';
  if (message.startsWith('OOM')) return 'full';
  if (STATE.test(message)) return 'state';
  return /^[A-Z]{3,} /.test(message) ? 'refused' : 'silent';
}

/** The same as a typed error with the server's name, and without anything of its URL. */
export function describeFault(server: string, error: unknown): CacheRedisError {
  if (error instanceof CacheRedisError) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  const options = { cause: error };
  if (AUTH.test(reason)) {
    return new CacheRedisError(
      'CACHE_REDIS_AUTH',
      `Redis at ${server} refuses these credentials: ${reason}`,
      options,
    );
  }
  if (UNSUPPORTED.test(reason)) {
    return new CacheRedisError(
      'CACHE_REDIS_UNSUPPORTED',
      `The server at ${server} does not fit: ${reason}`,
      options,
    );
  }
  return new CacheRedisError(
    'CACHE_REDIS_UNAVAILABLE',
    `Redis at ${server} can not be used: ${reason}`,
    options,
  );
}
