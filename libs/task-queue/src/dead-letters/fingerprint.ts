import { createHash } from 'node:crypto';

/** What differs between two occurrences of one error, the longest first. Every pattern reads the text once. */
const VARIABLE_PARTS: readonly (readonly [pattern: RegExp, placeholder: string])[] = [
  [/"[^"]*"|`[^`]*`|“[^”]*”|«[^»]*»/g, '<text>'],
  // Not the apostrophe of a word.
  [/(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu, '<text>'],
  [/\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/gi, '<uuid>'],
  [/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g, '<time>'],
  // An id in hexadecimal may have nothing but digits.
  [/\b0x[\da-f]+\b|\b(?=[a-f]*\d)[\da-f]{8,}\b/gi, '<n>'],
  [/\d+(?:[.,]\d+)*/g, '<n>'],
  [/\s+/g, ' '],
];
const SHOWN = 16;

/** The message without what differs between two occurrences of one error. */
export function normalizedError(message: string): string {
  return VARIABLE_PARTS.reduce(
    (text, [pattern, placeholder]) => text.replace(pattern, placeholder),
    message,
  ).trim();
}

/** 16 hexadecimal digits that tell apart kinds of failures. Stable: people keep them, so a change breaks links. */
export function fingerprintOf(task: string, error: string): string {
  return createHash('sha256')
    .update(`${task}\0${normalizedError(error)}`)
    .digest('hex')
    .slice(0, SHOWN);
}
