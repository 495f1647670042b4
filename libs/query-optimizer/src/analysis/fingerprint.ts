import { createHash } from 'node:crypto';

import { fingerprintSync, normalizeSync, scanSync } from 'libpg-query';

/** Longest normalised text, in UTF-16 units. */
export const MAX_NORMALISED_LENGTH = 4_096;
/** Longer texts are cut before they are tokenised: only their beginning could be shown anyway. */
const MAX_SCANNED_LENGTH = 256 * 1024;

/**
 * PostgreSQL's grouping fingerprint together with the names of the tables, since that alone takes `a.t` and `b.t` for
 * the same. `tables` in the order of the text. A text that does not parse is grouped by itself.
 */
export function fingerprintOf(text: string, tables: readonly string[]): string {
  const hash = createHash('sha256').update(grammarFingerprint(text));
  for (const it of tables) hash.update('\0').update(it);
  return hash.digest('hex').slice(0, 16);
}

/** What PostgreSQL's grammar makes of a text: equal for texts that differ in constants, layout and schema. */
export function grammarFingerprint(text: string): string {
  try {
    return fingerprintSync(text);
  } catch {
    return text;
  }
}

/** Constants as $n, no comments, single spaces, bounded. A text that does not parse keeps its constants out of sight too. */
export function normalisedTextOf(text: string): string {
  let normalised: string;
  try {
    normalised = normalizeSync(text);
  } catch {
    return withoutLiterals(text);
  }
  return shortened(joinTokens(normalised));
}

function joinTokens(text: string): string {
  const scanned = text.slice(0, MAX_SCANNED_LENGTH);
  let joined = '';
  let end = 0;
  try {
    for (const token of scanSync(scanned).tokens) {
      if (token.tokenName === 'C_COMMENT' || token.tokenName === 'SQL_COMMENT') continue;
      if (joined !== '' && token.start > end) joined += ' ';
      joined += token.text;
      ({ end } = token);
      if (joined.length > MAX_NORMALISED_LENGTH) break;
    }
  } catch {
    // The cut went through a quoted name.
    return scanned;
  }
  return joined.replace(/[\s;]+$/, '');
}

/** Literals may hold secrets, and this text goes to logs: everything between quotes, and every number, is dropped. */
function withoutLiterals(text: string): string {
  const cut = text.slice(0, MAX_NORMALISED_LENGTH);
  const quoteless = cut.replace(/'(?:[^']|'')*'?|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)/g, '?');
  return shortened(
    quoteless
      .replace(/\b\d+(\.\d+)?\b/g, '?')
      .replace(/\s+/g, ' ')
      .trim(),
  );
}

function shortened(text: string): string {
  return text.length <= MAX_NORMALISED_LENGTH ? text : `${text.slice(0, MAX_NORMALISED_LENGTH - 1)}…`;
}
