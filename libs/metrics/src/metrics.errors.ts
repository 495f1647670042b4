/** Base of every error this library throws. `code` is stable, the message is for people. */
export abstract class MetricsError extends Error {
  abstract readonly code: `METRICS_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The module's options do not fit their schema. Thrown at start. */
export class MetricsOptionsError extends MetricsError {
  readonly code = 'METRICS_OPTIONS';

  constructor(
    readonly issues: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`Metrics options are wrong: ${issues.join('; ')}`, options);
  }
}

/** Two different sources want the same name. Thrown by `register`. */
export class MetricsSourceNameError extends MetricsError {
  readonly code = 'METRICS_SOURCE_NAME';

  constructor(readonly source: string) {
    super(`A metric source named "${source}" is registered already; give each source its own name`);
  }
}

/** Two memory consumers want the same name. Thrown by `MemoryManager.register`. */
export class MetricsConsumerNameError extends MetricsError {
  readonly code = 'METRICS_CONSUMER_NAME';

  constructor(readonly consumer: string) {
    super(`A memory consumer named "${consumer}" is registered already; give each its own name`);
  }
}

/** A source did not answer within its time. Logged and counted, never thrown at a scraper. */
export class MetricsSourceTimeoutError extends MetricsError {
  readonly code = 'METRICS_SOURCE_TIMEOUT';

  constructor(
    readonly source: string,
    readonly timeoutMs: number,
  ) {
    super(`Metric source "${source}" did not answer within ${timeoutMs} ms`);
  }
}

/** A source gave a family that would make the exposition invalid. Logged and counted, never thrown at a scraper. */
export class MetricsFamilyError extends MetricsError {
  readonly code = 'METRICS_FAMILY';

  constructor(
    readonly family: string,
    readonly reason: string,
  ) {
    super(`Metric family "${family}" is left out: ${reason}`);
  }
}

/** The listener for scrapes could not be opened. Thrown by `listenForScrapes`; the cause is Node's. */
export class MetricsListenerError extends MetricsError {
  readonly code = 'METRICS_LISTENER';

  constructor(
    readonly host: string,
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(`The metrics cannot be served on ${host}:${port}; choose another port (0 for any)`, options);
  }
}

/** Why a profile is not taken: another one is, one was a moment ago, there is no memory for it, or it is too large. */
export type ProfileRefusal = 'busy' | 'rate' | 'memory' | 'size';

/** A profile is not taken. Nothing was begun. */
export class MetricsProfileRefusedError extends MetricsError {
  readonly code = 'METRICS_PROFILE_REFUSED';

  constructor(
    readonly reason: ProfileRefusal,
    message: string,
    /** Seconds after which trying again makes sense, where time helps. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}

/** There is no profile with this id, or it has made room for newer ones. */
export class MetricsProfileNotFoundError extends MetricsError {
  readonly code = 'METRICS_PROFILE_NOT_FOUND';

  constructor(readonly profile: string) {
    super(`There is no profile ${JSON.stringify(profile)}; the oldest make room for new ones`);
  }
}
