/** A place in the write-ahead log, in bytes. @see https://www.postgresql.org/docs/current/datatype-pg-lsn.html */
export type WalPosition = bigint;

const WRITTEN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/** Bytes. The header of a page is 24 long, that of the first of a file 40. */
const PAGE = 8_192n;
const LONGEST_HEADER = 40n;

/**
 * Within the header of a page it is the page's begin: no record lies in between, and where a page is full the primary names
 * the place behind the next header, a replica the end of the page.
 *
 * @returns undefined for what is no `pg_lsn`, also null
 */
export function walPosition(text: unknown): WalPosition | undefined {
  const [, high, low] = typeof text === 'string' ? (WRITTEN.exec(text) ?? []) : [];
  if (!high || !low) return undefined;
  const position = (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
  const inPage = position % PAGE;
  return inPage <= LONGEST_HEADER ? position - inPage : position;
}
