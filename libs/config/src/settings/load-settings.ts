import { type EnvironmentProblem, InvalidEnvironmentError } from '../config.errors.js';
import {
  assertDistinct,
  type Setting,
  type SettingsDefinition,
  type SettingValues,
} from './define-settings.js';

/** Longest part of a wrong value that an error shows, characters. */
const MAX_SHOWN = 80;

/** Where settings come from: `process.env`, or a plain object. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The definitions of several concerns by name. */
export type Concerns = Readonly<Record<string, SettingsDefinition>>;

/** The values of several concerns: `settings.http.port`. */
export type SettingsOf<C extends Concerns> = {
  readonly [K in keyof C]: C[K] extends SettingsDefinition<infer S> ? SettingValues<S> : never;
};

/**
 * Reads the environment once. An empty variable counts as unset. Variables that no concern names are ignored.
 *
 * @returns the values by concern and property, deeply frozen
 * @throws {InvalidEnvironmentError} with every problem of every concern
 * @throws {DuplicateVariableError} when two concerns read the same variable
 */
export function loadSettings<const C extends Concerns>(
  concerns: C,
  environment: Environment = process.env,
): SettingsOf<C> {
  assertDistinct(Object.values(concerns).flatMap(({ shape }) => Object.values(shape)));
  const problems: EnvironmentProblem[] = [];
  const settings: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries(concerns)) {
    settings[name] = loadConcern(definition, environment, problems);
  }
  if (problems.length > 0) throw new InvalidEnvironmentError(problems);
  return deepFreeze(settings) as SettingsOf<C>;
}

function loadConcern(
  definition: SettingsDefinition,
  environment: Environment,
  problems: EnvironmentProblem[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [property, setting] of Object.entries(definition.shape)) {
    const given = textOf(setting, environment);
    const parsed = setting.type.safeParse(given ?? setting.default);
    if (parsed.success) values[property] = parsed.data;
    else problems.push(problem(setting, given, parsed.error.issues[0]?.message ?? 'another value'));
  }
  for (const { property, expected } of definition.rule(values)) {
    const setting = definition.shape[property];
    if (setting !== undefined) problems.push(problem(setting, textOf(setting, environment), expected));
  }
  return values;
}

function deepFreeze(value: object): object {
  for (const inner of Object.values(value)) {
    if (inner !== null && typeof inner === 'object') deepFreeze(inner as object);
  }
  return Object.freeze(value);
}

function textOf(setting: Setting, environment: Environment): string | undefined {
  const given = environment[setting.variable];
  return given === '' ? undefined : given;
}

function problem(setting: Setting, given: string | undefined, expected: string): EnvironmentProblem {
  return { variable: setting.variable, given: show(setting, given), expected };
}

function show(setting: Setting, given: string | undefined): string {
  if (given === undefined) {
    return setting.default === undefined ? 'nothing' : `nothing (default ${setting.default})`;
  }
  if (setting.secret === true) return '(hidden)';
  const shown = given.length > MAX_SHOWN ? `${given.slice(0, MAX_SHOWN)}…` : given;
  // JSON escapes what a terminal would obey; the upper control characters it leaves alone.
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
