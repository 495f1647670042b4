import { createHash } from 'node:crypto';

/** The strictest of the three: CloudFront's 50 tags an object and Cloudflare's and Fastly's 16 KiB of header. */
const MAX_KEYS = 50;
const MAX_HEADER_BYTES = 16_384;
/** CloudFront takes 256 characters. Longer ones are hashed. */
const MAX_KEY_LENGTH = 256;

/** Visible ASCII without the separators of both headers, and without what an escape begins with. */
const PLAIN = /^[\x21-\x24\x26-\x2b\x2d-\x7e]+$/;

/** Headers by name. */
export type SurrogateHeaders = Readonly<Record<string, string>>;

/**
 * The surrogate key of a cache tag: the tag itself wherever it can stand in a header. What separates keys, and what is
 * not visible ASCII, is percent-encoded; what is too long is hashed. The same for a response and for its purge.
 */
export function surrogateKeyOf(tag: string): string {
  const key = PLAIN.test(tag) ? tag : encodeURIComponent(tag.toWellFormed());
  if (key.length <= MAX_KEY_LENGTH) return key;
  return `sha256:${createHash('sha256').update(tag).digest('base64url')}`;
}

/**
 * The headers by which a CDN finds a response again: `Surrogate-Key` (Fastly, Varnish), separated by spaces, and
 * `Cache-Tag` (Cloudflare, CloudFront), separated by commas. A response with more keys than all providers keep could
 * not be purged by each of them, so no CDN may store it.
 *
 * @param tags as the cache has them
 */
export function surrogateHeaders(tags: readonly string[]): SurrogateHeaders {
  const keys = [...new Set(tags.map(surrogateKeyOf))];
  if (keys.length === 0) return {};
  const header = keys.join(' ');
  if (keys.length > MAX_KEYS || header.length > MAX_HEADER_BYTES) return { 'CDN-Cache-Control': 'no-store' };
  return { 'Surrogate-Key': header, 'Cache-Tag': keys.join(',') };
}
