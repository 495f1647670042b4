/** Base of every error this library throws. `code` is stable: branch on it, not on the message. */
export abstract class ConfigError extends Error {
  abstract readonly code: `CONFIG_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** One wrong variable. Safe to print: a secret's value is never in it. */
export interface EnvironmentProblem {
  /** Name of the environment variable. */
  readonly variable: string;
  /** The value in quotes, `nothing`, or `(hidden)` for a secret. */
  readonly given: string;
  /** What is expected, as a phrase: `a whole number from 0 to 65535`. */
  readonly expected: string;
}

/** One or more environment variables are missing or wrong. The message has one line for each. */
export class InvalidEnvironmentError extends ConfigError {
  readonly code = 'CONFIG_INVALID_ENVIRONMENT';

  constructor(readonly problems: readonly EnvironmentProblem[]) {
    const lines = problems.map(
      ({ variable, given, expected }) => `  ${variable}: given ${given}, expected ${expected}`,
    );
    super(['The environment is not valid:', ...lines].join('\n'));
  }
}

/** A definition names one environment variable twice. A mistake in the code, not in the environment. */
export class DuplicateVariableError extends ConfigError {
  readonly code = 'CONFIG_DUPLICATE_VARIABLE';

  constructor(readonly variable: string) {
    super(`Two settings read the environment variable ${variable}`);
  }
}

/** A flag that nobody defined was asked for. */
export class UnknownFlagError extends ConfigError {
  readonly code = 'CONFIG_UNKNOWN_FLAG';

  constructor(readonly flag: string) {
    super(`There is no feature flag named "${flag}"`);
  }
}

/** The options of `FeatureFlagsModule` are wrong; the message lists every problem. */
export class FeatureFlagsInvalidOptionsError extends ConfigError {
  readonly code = 'CONFIG_INVALID_OPTIONS';
}
