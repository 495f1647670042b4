import { type IndexFailure } from './index-builder.errors.js';

/** @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_CODE: readonly [RegExp, IndexFailure][] = [
  [/^42501$/, 'no-right'],
  [/^25006$/, 'read-only'],
  [/^(42P01|3F000)$/, 'no-table'],
  [/^42P07$/, 'name-taken'],
  [/^(55P03|40P01)$/, 'locked'],
  // The third is a limit of the server's own: `temp_file_limit`.
  [/^(53100|54000|53400)$/, 'disk-full'],
  [/^57014$/, 'cancelled'],
  [/^(57P0.|08...)$/, 'connection'],
];

export function failureOf(error: unknown): IndexFailure {
  const code = codeOf(error);
  // Without a code of PostgreSQL's it is the connection that has failed.
  if (code === undefined) return 'connection';
  return BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? 'other';
}

/** Somebody else's lock, or a snapshot that was waited for: it may be gone the next time. */
export const isWorthAnotherTry = (error: unknown): boolean => failureOf(error) === 'locked';

function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
