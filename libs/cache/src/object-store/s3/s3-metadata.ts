import type { ObjectMetadata } from '../object-store.js';

/** Of the expiry among the metadata in the bucket; the names of users have `m-` before them. */
const EXPIRES = 'expires-at';
const OWN = 'm-';

/** Headers take ASCII only. */
export function toS3Metadata(metadata: ObjectMetadata, expiresAt: number): Record<string, string> {
  const headers = Object.entries(metadata).map(([name, value]) => [OWN + name, encodeURIComponent(value)]);
  if (expiresAt < Infinity) headers.push([EXPIRES, String(expiresAt)]);
  return Object.fromEntries(headers) as Record<string, string>;
}

export function fromS3Metadata(headers: Readonly<Record<string, string>> = {}): {
  readonly metadata: ObjectMetadata;
  /** Milliseconds since 1970; Infinity for none. */
  readonly expiresAt: number;
} {
  const own = Object.entries(headers).filter(([name]) => name.startsWith(OWN));
  return {
    metadata: Object.fromEntries(
      own.map(([name, value]) => [name.slice(OWN.length), decodeURIComponent(value)]),
    ),
    expiresAt: Number(headers[EXPIRES] ?? Infinity),
  };
}
