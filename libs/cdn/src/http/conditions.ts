/** Request headers as Node gives them: names in small letters, lists joined. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a representation is compared by. */
export interface Validators {
  /** Strong, with quotes. Undefined where there is none. */
  readonly etag: string | undefined;
  /** Milliseconds since 1970, of a whole second. Undefined where it is not told. */
  readonly lastModifiedMs: number | undefined;
}

/** The value of a header; undefined when it is absent or no single value. */
export function headerOf(headers: RequestHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** What the conditional headers of a GET or HEAD ask for, in the order of RFC 9110, section 13.2.2. */
export function evaluateConditions(
  headers: RequestHeaders,
  { etag, lastModifiedMs }: Validators,
): 'proceed' | 'not-modified' | 'failed' {
  const ifMatch = headerOf(headers, 'if-match');
  if (ifMatch !== undefined) {
    // Strong comparison: a weak tag never matches.
    if (!listMatches(ifMatch, (tag) => tag === etag)) return 'failed';
  } else {
    const unmodifiedSince = parseHttpDate(headerOf(headers, 'if-unmodified-since'));
    if (unmodifiedSince !== undefined && (lastModifiedMs ?? Infinity) > unmodifiedSince) return 'failed';
  }
  const ifNoneMatch = headerOf(headers, 'if-none-match');
  if (ifNoneMatch !== undefined) {
    const isKnown =
      ifNoneMatch === etag || listMatches(ifNoneMatch, (tag) => tag.replace(/^W\//, '') === etag);
    return isKnown ? 'not-modified' : 'proceed';
  }
  const modifiedSince = parseHttpDate(headerOf(headers, 'if-modified-since'));
  if (modifiedSince === undefined || lastModifiedMs === undefined) return 'proceed';
  return lastModifiedMs <= modifiedSince ? 'not-modified' : 'proceed';
}

/** Whether the Range header counts: no If-Range, or one that names this very representation (RFC 9110, 13.1.5). */
export function rangeApplies(headers: RequestHeaders, { etag, lastModifiedMs }: Validators): boolean {
  const ifRange = headerOf(headers, 'if-range');
  if (ifRange === undefined) return headers['if-range'] === undefined;
  // Strong comparison, so a weak tag never counts.
  if (ifRange.includes('"')) return ifRange.trim() === etag;
  return lastModifiedMs !== undefined && parseHttpDate(ifRange) === lastModifiedMs;
}

/** Entity tags may hold commas, so the list is matched tag by tag and not split. */
function listMatches(header: string, matches: (tag: string) => boolean): boolean {
  if (header.trim() === '*') return true;
  return (header.match(/(?:W\/)?"[^"]*"/g) ?? []).some(matches);
}

/** The three forms of RFC 9110, section 5.6.7: today's, that of RFC 850, that of asctime. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  /^[A-Z][a-z]+day, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
];

/** A date that is none is ignored, as the RFC wants it. */
function parseHttpDate(header: string | undefined): number | undefined {
  if (header === undefined || !HTTP_DATES.some((it) => it.test(header))) return undefined;
  // The form of asctime names no zone; HTTP means UTC.
  const time = Date.parse(header.endsWith('GMT') ? header : `${header} GMT`);
  return Number.isNaN(time) ? undefined : time;
}
