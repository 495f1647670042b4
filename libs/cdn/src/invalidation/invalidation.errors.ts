import { CdnError } from '../cdn.errors.js';

/** What was to be invalidated is not a path, a wildcard or a tag. Nothing was queued. */
export class InvalidPurgeTargetError extends CdnError {
  readonly code = 'CDN_INVALID_PURGE_TARGET';

  constructor(
    /** One line a problem. */
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`This cannot be invalidated: ${problems.join('; ')}`, options);
  }
}

/** No provider of this name is configured. Nothing was queued. */
export class UnknownProviderError extends CdnError {
  readonly code = 'CDN_UNKNOWN_PROVIDER';

  constructor(
    readonly provider: string,
    known: readonly string[],
  ) {
    const expected = known.length === 0 ? 'none is configured' : `configured are ${known.join(', ')}`;
    super(`There is no CDN provider ${JSON.stringify(provider)}: ${expected}`);
  }
}

/** The queue did not take the purges, or did not tell about them. Queue them again. */
export class InvalidationQueueUnavailableError extends CdnError {
  readonly code = 'CDN_INVALIDATION_QUEUE_UNAVAILABLE';

  constructor(
    readonly operation: string,
    options?: ErrorOptions,
  ) {
    super(`The queue of CDN purges does not answer (${operation})`, options);
  }
}
