import { CdnError } from '../cdn.errors.js';

/** A provider did not do what it was asked for. The purge is kept and tried again unless a subclass says otherwise. */
export abstract class PurgeFailedError extends CdnError {
  constructor(
    readonly provider: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${provider}: ${message}`, options);
  }
}

/** The credentials are wrong, or may not purge. Tried again slowly: a person has to put it right. */
export class ProviderUnauthorizedError extends PurgeFailedError {
  readonly code = 'CDN_PROVIDER_UNAUTHORIZED';

  constructor(provider: string, status: number) {
    super(provider, `the credentials do not hold or may not purge (${status}); check them in the settings`);
  }
}

/** Too many purges. Nothing is sent to the provider for `retryAfterMs`. */
export class ProviderRateLimitedError extends PurgeFailedError {
  readonly code = 'CDN_PROVIDER_RATE_LIMITED';

  constructor(
    provider: string,
    /** As the provider asked for; undefined when it did not say. */
    readonly retryAfterMs: number | undefined,
  ) {
    const wait = retryAfterMs === undefined ? '' : `, again in ${Math.ceil(retryAfterMs / 1_000)} s`;
    super(provider, `it takes no more purges for now (429)${wait}`);
  }
}

/** No answer in time, no connection, or a failure on the provider's side. */
export class ProviderUnavailableError extends PurgeFailedError {
  readonly code = 'CDN_PROVIDER_UNAVAILABLE';

  constructor(
    provider: string,
    reason: string,
    /** As the provider asked for. */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(provider, reason, options);
  }
}

/** An answer that the provider's API does not give: whether it purged is unknown, so it is asked again. */
export class ProviderAnswerError extends PurgeFailedError {
  readonly code = 'CDN_PROVIDER_ANSWER';

  constructor(provider: string, reason: string, options?: ErrorOptions) {
    super(provider, `its answer is none of a purge: ${reason}`, options);
  }
}

/** The provider refuses the purge itself. Values are tried one by one; the one that is refused alone fails for good. */
export class PurgeRejectedError extends PurgeFailedError {
  readonly code = 'CDN_PURGE_REJECTED';

  constructor(provider: string, reason: string) {
    super(provider, `it refuses the purge: ${reason}`);
  }
}

/** The provider said done, and the probe still sees the old copy. Purged again. */
export class PurgeNotSeenError extends PurgeFailedError {
  readonly code = 'CDN_PURGE_NOT_SEEN';

  constructor(
    provider: string,
    readonly path: string,
    ageSeconds: number,
  ) {
    super(provider, `it still answers ${path} with a copy that is ${ageSeconds} s old`);
  }
}

/** The package that the provider needs is not installed. */
export class ProviderPackageMissingError extends PurgeFailedError {
  readonly code = 'CDN_PROVIDER_PACKAGE_MISSING';

  constructor(provider: string, packageName: string, options?: ErrorOptions) {
    super(provider, `install the package ${packageName}, which it needs`, options);
  }
}
