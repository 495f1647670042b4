/** Base of every error this library throws. `code` is stable: branch on it, not on the message. */
export abstract class HealthError extends Error {
  abstract readonly code: `HEALTH_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The options of `HealthModule` or `drainOnSignals` are wrong; the message lists every problem. */
export class HealthInvalidOptionsError extends HealthError {
  readonly code = 'HEALTH_INVALID_OPTIONS';
}

/** Two checks have the same name. Names are the keys of the answer, so they must differ. */
export class HealthDuplicateCheckError extends HealthError {
  readonly code = 'HEALTH_DUPLICATE_CHECK';

  constructor(readonly checkName: string) {
    super(`A health check named "${checkName}" is already registered`);
  }
}

/** A check did not settle within its `timeoutMs`. Its signal was aborted with this error. */
export class HealthCheckTimeoutError extends HealthError {
  readonly code = 'HEALTH_CHECK_TIMEOUT';

  constructor(
    readonly checkName: string,
    readonly timeoutMs: number,
  ) {
    super(`Health check "${checkName}" did not finish within ${timeoutMs} ms`);
  }
}

/** A check ignored its aborted signal and still runs, so it was not started a second time. */
export class HealthCheckStuckError extends HealthError {
  readonly code = 'HEALTH_CHECK_STUCK';

  constructor(readonly checkName: string) {
    super(`Health check "${checkName}" still runs although its signal was aborted`);
  }
}

/** The service stopped while a check ran. Reaches only the check's signal. */
export class HealthStoppedError extends HealthError {
  readonly code = 'HEALTH_STOPPED';

  constructor() {
    super('The health service stopped');
  }
}

/** `drainOnSignals` was called on a server that listens already, so earlier requests are unknown to it. */
export class HealthDrainAfterListenError extends HealthError {
  readonly code = 'HEALTH_DRAIN_AFTER_LISTEN';

  constructor() {
    super('Call drainOnSignals(app, …) before app.listen(…)');
  }
}
