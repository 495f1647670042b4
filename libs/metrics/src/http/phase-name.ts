/** What a phase is called. */
export interface PhaseName {
  /** As RFC 9110 section 5.6.2 has it. */
  readonly token: string;
  /** How it begins in a header that it is not the first of. */
  readonly beginning: string;
}

const TOKEN = /^[\w.-]{1,64}$/;

/** An application has few: most requests have the phases of the one before. */
const known = new Map<string, PhaseName>();
const MAX_KNOWN = 1_000;

/** @param text letters, digits and `-_.`; anything else becomes `_` */
export function phaseName(text: string): PhaseName {
  return known.get(text) ?? newName(text);
}

function newName(text: string): PhaseName {
  const isToken = TOKEN.test(text);
  const token = isToken ? text : text.replace(/[^\w.-]/g, '_').slice(0, 64) || 'unnamed';
  const name = { token, beginning: `, ${token};dur=` };
  if (isToken && known.size < MAX_KNOWN) known.set(text, name);
  return name;
}
