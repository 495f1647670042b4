/** The process refuses new work for want of memory. Safe to repeat: nothing was begun. */
export class OverloadedError extends Error {
  readonly code = 'RUNTIME_OVERLOADED';

  override get name(): string {
    return this.constructor.name;
  }

  /** @param retryAfterSeconds after which trying again makes sense */
  constructor(readonly retryAfterSeconds: number) {
    super('The service is short of memory and takes no new requests; try again later');
  }
}
