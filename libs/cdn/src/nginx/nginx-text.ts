import { CdnOptionsError } from '../cdn.errors.js';

/**
 * A word of nginx's configuration, in quotes. Inside them a backslash is itself unless it stands before one of a few
 * characters.
 *
 * @throws {CdnOptionsError} for what cannot be said there: control characters
 */
export function quoted(text: string): string {
  if (/\p{Cc}/u.test(text))
    throw new CdnOptionsError(`${JSON.stringify(text)} cannot stand in nginx's configuration`);
  return `"${text.replaceAll(/\\(?=[\\"'trn])|"/g, (it) => `\\${it}`)}"`;
}

/**
 * The same where nginx would replace variables, as it has no way to write a dollar sign there.
 *
 * @throws {CdnOptionsError}
 */
export function quotedValue(text: string): string {
  if (text.includes('$')) throw new CdnOptionsError(`nginx cannot send a "$": ${JSON.stringify(text)}`);
  return quoted(text);
}

/** Every line that is not empty, further in. */
export function indented(text: string, spaces = 4): string {
  return text.replaceAll(/^(?=[^\n])/gm, ' '.repeat(spaces));
}

/** Of a regular expression, for Node and PCRE. */
export function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** `map $source $target { … }` with the lines in their order. */
export function renderMap(
  source: string,
  target: string,
  lines: readonly (readonly [key: string, value: string])[],
): string {
  const body = lines.map(([key, value]) => `    ${key} ${value};\n`).join('');
  return `map ${source} ${target} {\n${body}}\n`;
}
