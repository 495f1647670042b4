import { z } from 'zod';
import { DuplicateVariableError } from '../config.errors.js';
import type { ValueType } from './value-types.js';

/** How a setting is read, shown and documented. */
export interface SettingInfo {
  /** One sentence for `.env.example`, with the unit. */
  readonly description: string;
  /** The variable's text when it is unset. Without one the variable is required, or optional by its type. */
  readonly default?: string;
  /** The value is never printed. @default false */
  readonly secret?: boolean;
  /** Text to show in `.env.example` where there is no default. */
  readonly example?: string;
}

/** One environment variable with the type of its value. */
export interface Setting<T extends ValueType = ValueType> extends SettingInfo {
  readonly variable: string;
  readonly type: T;
}

/** The settings of one concern by property name. */
export type SettingShape = Readonly<Record<string, Setting>>;

/** The values of a shape: the property names of the shape, the types of its settings. */
export type SettingValues<S extends SettingShape> = { readonly [K in keyof S]: z.output<S[K]['type']> };

/** A broken rule: which property is to blame, and what is expected of it. */
export interface RuleProblem<P extends string = string> {
  readonly property: P;
  readonly expected: string;
}

/** A rule over several settings. A property whose own value is wrong is absent. */
export type SettingsRule<S extends SettingShape> = (
  values: Partial<SettingValues<S>>,
) => readonly RuleProblem<keyof S & string>[];

/** The settings of one concern. Made by `defineSettings`. */
export interface SettingsDefinition<S extends SettingShape = SettingShape> {
  /** Heading in `.env.example`. */
  readonly title: string;
  readonly shape: S;
  /** One zod schema for the concern: property names, texts in, values out. */
  readonly schema: z.ZodObject<{ [K in keyof S]: S[K]['type'] }>;
  // A method, so that a definition of a narrower shape is assignable to `SettingsDefinition`.
  rule(values: Partial<SettingValues<S>>): readonly RuleProblem[];
}

/** One setting: `port: setting('PORT', wholeNumber(0, 65_535), { description: '…', default: '3000' })`. */
export function setting<T extends ValueType>(variable: string, type: T, info: SettingInfo): Setting<T> {
  return Object.freeze({ ...info, variable, type: type.meta({ ...type.meta(), ...info }) });
}

/**
 * The settings of one concern.
 *
 * @param rule checks values against each other; its problems are reported under the variable's name
 * @throws {DuplicateVariableError} when two properties read the same variable
 */
export function defineSettings<const S extends SettingShape>(
  title: string,
  shape: S,
  rule: SettingsRule<S> = () => [],
): SettingsDefinition<S> {
  assertDistinct(Object.values(shape));
  const types = Object.fromEntries(Object.entries(shape).map(([property, { type }]) => [property, type]));
  const schema = z.object(types as { [K in keyof S]: S[K]['type'] });
  return Object.freeze({ title, shape, schema, rule });
}

/** @throws {DuplicateVariableError} when two settings read the same variable */
export function assertDistinct(settings: readonly Setting[]): void {
  const seen = new Set<string>();
  for (const { variable } of settings) {
    if (seen.has(variable)) throw new DuplicateVariableError(variable);
    seen.add(variable);
  }
}
