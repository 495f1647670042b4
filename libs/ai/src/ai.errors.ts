/** Base of every error that this library throws on purpose; `code` is stable, the message says what to do. */
export abstract class AiError extends Error {
  abstract readonly code: `AI_${string}`;
  override get name() {
    return this.constructor.name;
  }
}

/** A request holds something that has no canonical form (a function, a cycle, NaN, a class): it can have no key. */
export class AiKeyError extends AiError {
  readonly code = 'AI_KEY';
  constructor(
    readonly path: string,
    what: string,
  ) {
    super(`${path} is ${what}, which has no canonical form; send plain JSON`);
  }
}

/** The request cannot be served as it is; nothing was sent or stored. */
export class AiInputError extends AiError {
  readonly code = 'AI_INVALID_INPUT';
  constructor(
    readonly field: string,
    readonly reason: string,
  ) {
    super(`${field} ${reason}`);
  }
}

/** The model is none that is configured or built in. */
export class AiUnknownModelError extends AiError {
  readonly code = 'AI_UNKNOWN_MODEL';
  constructor(
    readonly model: string,
    readonly known: readonly string[],
  ) {
    super(`There is no model ${JSON.stringify(model)} here; known: ${known.join(', ') || 'none'}`);
  }
}

/** What was asked for needs a provider, and none is configured. */
export class AiNotConfiguredError extends AiError {
  readonly code = 'AI_NOT_CONFIGURED';
  constructor(what: string, settings: readonly string[]) {
    super(`${what} needs a provider: set ${settings.join(' and ')}, and start anew`);
  }
}
