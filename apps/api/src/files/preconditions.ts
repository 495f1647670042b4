import { type IncomingHttpHeaders } from 'node:http';

/** What a representation is compared by. */
export interface Validators {
  /** Strong, with quotes. */
  etag: string;
  /** Compared in whole seconds, as HTTP dates are. */
  lastModified: Date;
}

/** What the conditional headers of a GET or HEAD ask for; order of precedence as in RFC 9110 section 13.2.2. */
export function evaluatePreconditions(
  headers: IncomingHttpHeaders,
  { etag, lastModified }: Validators,
): 'proceed' | 'not-modified' | 'failed' {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined) {
    // Strong comparison: a weak tag never matches.
    if (!listMatches(ifMatch, (tag) => tag === etag)) return 'failed';
  } else if (isAfter(lastModified, headers['if-unmodified-since'])) {
    return 'failed';
  }
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    return listMatches(ifNoneMatch, (tag) => tag.replace(/^W\//, '') === etag) ? 'not-modified' : 'proceed';
  }
  const since = parseDate(headers['if-modified-since']);
  return since !== undefined && !isAfter(lastModified, headers['if-modified-since'])
    ? 'not-modified'
    : 'proceed';
}

/** Whether the Range header counts: no If-Range, or one that names this very representation (RFC 9110, 13.1.5). */
export function rangeApplies(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const ifRange = headers['if-range'];
  if (typeof ifRange !== 'string') return true;
  if (ifRange.includes('"')) return ifRange.trim() === etag;
  return parseDate(ifRange)?.getTime() === wholeSeconds(lastModified);
}

/** Entity tags may hold commas, so the list is matched tag by tag and not split. */
function listMatches(header: string, matches: (tag: string) => boolean): boolean {
  if (header.trim() === '*') return true;
  return (header.match(/(?:W\/)?"[^"]*"/g) ?? []).some(matches);
}

function isAfter(lastModified: Date, header: string | undefined): boolean {
  const date = parseDate(header);
  return date !== undefined && wholeSeconds(lastModified) > date.getTime();
}

/** A date that is none is ignored, as the RFC wants it. */
function parseDate(header: string | undefined): Date | undefined {
  if (header === undefined) return undefined;
  const date = new Date(header);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1_000) * 1_000;
}
