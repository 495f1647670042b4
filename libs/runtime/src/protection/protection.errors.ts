/** A request that is refused to protect the others. Its message is for the caller. */
export abstract class ProtectionError extends Error {
  abstract readonly code: string;
  abstract readonly statusCode: number;
  /** Seconds after which trying again makes sense; undefined when it makes none. */
  readonly retryAfterSeconds?: number;
  override get name() {
    return this.constructor.name;
  }
}

/** The caller has used up its tokens. */
export class RateLimitExceededError extends ProtectionError {
  readonly code = 'RATE_LIMITED';
  readonly statusCode = 429;
  constructor(
    readonly policy: string,
    override readonly retryAfterSeconds: number,
  ) {
    super(`The limit "${policy}" is used up; try again in ${retryAfterSeconds} s, and see RateLimit-Policy`);
  }
}

/** The process does as much at once as it can, or is short of memory. Safe to repeat: nothing was begun. */
export class OverloadedError extends ProtectionError {
  readonly code = 'OVERLOADED';
  readonly statusCode = 503;
  constructor(
    override readonly retryAfterSeconds: number,
    reason = 'The service has more to do than it can',
  ) {
    super(`${reason}; try again later`);
  }
}

/** The URL is longer, or has more parameters or headers, than any request needs. */
export class RequestTooLargeError extends ProtectionError {
  readonly code: string;
  constructor(
    readonly statusCode: 414 | 431,
    detail: string,
  ) {
    super(detail);
    this.code = statusCode === 414 ? 'URI_TOO_LONG' : 'HEADERS_TOO_LARGE';
  }
}

/** The JSON of the body is nested deeper than any request needs. */
export class JsonTooDeepError extends ProtectionError {
  readonly code = 'JSON_TOO_DEEP';
  readonly statusCode = 400;
  constructor(maxDepth: number) {
    super(`The body may be nested ${maxDepth} levels deep`);
  }
}

/** The body arrives more slowly than it must. */
export class SlowBodyError extends ProtectionError {
  readonly code = 'REQUEST_TIMEOUT';
  readonly statusCode = 408;
  constructor(bytesPerSecond: number) {
    super(`The body arrived with less than ${bytesPerSecond} bytes a second`);
  }
}
