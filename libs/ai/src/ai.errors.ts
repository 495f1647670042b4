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

/** The provider has failed, after all tries that made sense. Nothing of it is stored. */
export class AiProviderError extends AiError {
  readonly code = 'AI_PROVIDER_FAILED';
  constructor(
    readonly what: string,
    readonly attempts: number,
    options?: ErrorOptions,
  ) {
    super(`The AI provider ${what}${attempts > 1 ? ` (${attempts} attempts)` : ''}`, options);
  }
}

/** The provider did not answer, or did not go on, within `timeoutMs`. */
export class AiTimeoutError extends AiError {
  readonly code = 'AI_PROVIDER_TIMEOUT';
  constructor(
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    super(`The AI provider was silent for ${timeoutMs} ms`, options);
  }
}

/** The provider wants fewer requests, and went on wanting it through all attempts. */
export class AiRateLimitedError extends AiError {
  readonly code = 'AI_RATE_LIMITED';
  constructor(
    readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super('The AI provider takes no more requests at this time; try again later', options);
  }
}

/** The account at the provider is out of credit or over its limit: waiting does not heal it. */
export class AiQuotaExhaustedError extends AiError {
  readonly code = 'AI_QUOTA_EXHAUSTED';
  constructor(
    readonly providerCode: string,
    options?: ErrorOptions,
  ) {
    super(
      `The account at the AI provider has no quota left (${providerCode}); see its billing page`,
      options,
    );
  }
}

/** The provider does not take the key of AI_API_KEY, or not for this model. */
export class AiProviderAccessError extends AiError {
  readonly code = 'AI_PROVIDER_ACCESS';
  constructor(options?: ErrorOptions) {
    super('The AI provider refuses the configured API key; check AI_API_KEY', options);
  }
}

/** The provider says that the request is not valid; doing it again changes nothing. */
export class AiRequestRefusedError extends AiError {
  readonly code = 'AI_REQUEST_REFUSED';
  constructor(
    readonly status: number,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`The AI provider refuses the request: ${reason}`, options);
  }
}

/** The provider answered something that cannot be true, or used: another length, NaN, no JSON. Nothing of it is stored. */
export class AiProviderAnswerError extends AiError {
  readonly code = 'AI_PROVIDER_ANSWER';
  constructor(
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`The answer of the AI provider is of no use: ${reason}`, options);
  }
}

/** A reply broke off before it was complete; what came of it is not stored. */
export class AiStreamBrokenError extends AiError {
  readonly code = 'AI_STREAM_BROKEN';
  constructor(
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`The reply broke off: ${reason}; ask again`, options);
  }
}

/** The money for today is spent, or promised to calls under way. Answers that are cached go on. */
export class AiBudgetExceededError extends AiError {
  readonly code = 'AI_BUDGET_EXCEEDED';
  constructor(
    readonly dailyBudgetUsd: number,
    readonly retryAfterMs: number,
  ) {
    super(
      `The budget of ${dailyBudgetUsd} USD a day (AI_DAILY_BUDGET_USD) does not cover this call; it begins anew at 00:00 UTC`,
    );
  }
}

/** There is a budget, and no price for this model: the budget could not be kept. */
export class AiUnpricedModelError extends AiError {
  readonly code = 'AI_UNPRICED_MODEL';
  constructor(readonly model: string) {
    super(
      `The price of ${model} is not known, so the daily budget cannot be kept: name it in AI_MODEL_PRICES, or unset AI_DAILY_BUDGET_USD`,
    );
  }
}

/** No analyser reads this language. */
export class AiUnknownLanguageError extends AiError {
  readonly code = 'AI_UNKNOWN_LANGUAGE';
  constructor(
    readonly language: string,
    readonly known: readonly string[],
  ) {
    super(`There is no analysis of ${JSON.stringify(language)} here; known: ${known.join(', ')}`);
  }
}

/** No rule or group of rules has this name. */
export class AiUnknownRuleError extends AiError {
  readonly code = 'AI_UNKNOWN_RULE';
  constructor(
    readonly rules: readonly string[],
    readonly known: readonly string[],
  ) {
    super(
      `There are no rules ${rules.map((it) => JSON.stringify(it)).join(', ')}; known: ${known.join(', ')}`,
    );
  }
}

/** An analysis took longer than it may; the code is given up, the next one is analysed. */
export class AiAnalysisTimeoutError extends AiError {
  readonly code = 'AI_ANALYSIS_TIMEOUT';
  constructor(readonly timeoutMs: number) {
    super(`The analysis of this code did not end within ${timeoutMs} ms; analyse smaller pieces`);
  }
}

/** An analyser has failed, on its own account. */
export class AiAnalysisError extends AiError {
  readonly code = 'AI_ANALYSIS_FAILED';
  constructor(reason: string, options?: ErrorOptions) {
    super(`The analysis failed: ${reason}`, options);
  }
}
