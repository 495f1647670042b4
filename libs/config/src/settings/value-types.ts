import { z } from 'zod';
import type { ScopedRollout } from '../flags/rollout.js';

/** A type that reads one environment variable: text in, value out; its message says what it expects. */
export type ValueType = z.ZodType<unknown, string | undefined>;

/** A whole number in plain decimal digits. `12abc`, `1e3` and ` 1` are refused. */
export function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  const expected = `a whole number from ${min} to ${max}`;
  return z
    .string(expected)
    .regex(/^(0|[1-9][0-9]*)$/, expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected)
    .meta({ expected });
}

/** A number from 0 to 1 in plain decimal digits, such as `0.05`. */
export function share(): z.ZodType<number, string> {
  const expected = 'a number from 0 to 1, such as 0.05';
  return z
    .string(expected)
    .regex(/^(?:0(?:\.[0-9]{1,9})?|1(?:\.0{1,9})?)$/, expected)
    .transform(Number)
    .meta({ expected });
}

/** Exactly `true` or `false`. */
export function trueOrFalse(): z.ZodType<boolean, string> {
  const expected = 'true or false';
  return z
    .enum(['true', 'false'], expected)
    .transform((value) => value === 'true')
    .meta({ expected });
}

/** One of the given words. */
export function oneOf<const T extends readonly string[]>(words: T): z.ZodType<T[number], string> {
  const expected = `one of ${words.join(', ')}`;
  return z.enum(words, expected).meta({ expected });
}

/** Any text that `pattern` matches, unchanged. */
export function text(expected: string, pattern = /[\s\S]/): z.ZodType<string, string> {
  return z.string(expected).regex(pattern, expected).meta({ expected });
}

/** A URL of one of the given schemes, unchanged. */
export function url(...schemes: string[]): z.ZodType<string, string> {
  const expected = `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  const protocol = new RegExp(`^(?:${schemes.join('|')})$`);
  return z
    .url({ protocol, error: expected })
    .refine((value) => schemes.some((scheme) => value.toLowerCase().startsWith(`${scheme}://`)), expected)
    .meta({ expected });
}

const PERCENTAGE = '(?:true|false|(?:100(?:\\.0{1,2})?|[0-9]{1,2}(?:\\.[0-9]{1,2})?)%)';
const percentOf = (value: string) =>
  value === 'true' ? 100 : value === 'false' ? 0 : Number(value.slice(0, -1));

/** `true` (100), `false` (0) or a percentage with at most two decimals, as a number from 0 to 100. */
export function rollout(): z.ZodType<number, string> {
  const expected = 'true, false, or a percentage from 0% to 100% with at most two decimals';
  return z
    .string(expected)
    .regex(new RegExp(`^${PERCENTAGE}$`), expected)
    .transform(percentOf)
    .meta({ expected });
}

/**
 * A rollout with others for parts of what it divides: `50%,content=true,search=10%`. What has no part of its own is on
 * unless said otherwise: `search=10%` is `true,search=10%`.
 */
export function scopedRollout(): z.ZodType<ScopedRollout, string> {
  const expected =
    'true, false, or a percentage from 0% to 100% with at most two decimals, and the same for parts: 50%,search=10%';
  const item = new RegExp(`^(?:[A-Za-z][\\w-]{0,63}=)?${PERCENTAGE}$`);
  return listOf(item, expected, (it): [scope: string, percent: number] => {
    const [value = '', scope = ''] = it.split('=').reverse();
    return [scope, percentOf(value)];
  })
    .refine((items) => new Set(items.map(([scope]) => scope)).size === items.length, expected)
    .transform((items): ScopedRollout => {
      const { '': percent = 100, ...scopes } = Object.fromEntries(items);
      return { percent, scopes };
    })
    .meta({ expected });
}

/** Values separated by commas, at least one; spaces around them do not count. */
export function listOf<T>(
  item: RegExp,
  expected: string,
  parse: (item: string) => T,
): z.ZodType<T[], string> {
  return z
    .string(expected)
    .transform((value) => value.split(',').map((it) => it.trim()))
    .refine((items) => items.every((it) => item.test(it)), expected)
    .transform((items) => items.map(parse))
    .meta({ expected });
}

/** `name=value` pairs separated by commas, each name once. */
export function namedTexts(): z.ZodType<Readonly<Record<string, string>>, string> {
  const expected = 'name=value pairs separated by commas, each name once';
  return listOf(/^[A-Za-z_][\w.]*=[^=,]+$/, expected, (it): [name: string, value: string] => {
    const [name = '', value = ''] = it.split('=');
    return [name, value];
  })
    .refine((items) => new Set(items.map(([name]) => name)).size === items.length, expected)
    .transform((items) => Object.fromEntries(items))
    .meta({ expected });
}

/** The same type, and `undefined` when the variable is unset. */
export function optional<T extends ValueType>(type: T): z.ZodOptional<T> {
  return z.optional(type).meta({ ...type.meta() });
}
