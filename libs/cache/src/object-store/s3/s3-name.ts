import { createHash } from 'node:crypto';
import { ObjectTooLargeError } from '../../cache.errors.js';

/** Of the readable part of a name. With the hash it stays below the 255 bytes that file systems behind S3 allow. */
const READABLE_BYTES = 100;

/** Letter by letter, so that the beginning of a key is the beginning of its name. */
function readable(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[.*'()!~]/g,
    (it) => `%${it.charCodeAt(0).toString(16)}`,
  );
}

/** The name of a key in the bucket: its readable beginning, and the SHA-256 of the key. One flat level. */
export function nameOf(key: string): string {
  // UTF-16, since UTF-8 has one form for all lone surrogates.
  const hash = createHash('sha256').update(key, 'utf16le').digest('hex');
  return `${readable(key).slice(0, READABLE_BYTES)}~${hash}`;
}

/** The beginning of all names of keys that begin with this. @throws {ObjectTooLargeError} */
export function namePrefixOf(keyPrefix: string): string {
  const prefix = readable(keyPrefix);
  if (prefix.length > READABLE_BYTES) throw new ObjectTooLargeError('encoded prefix', READABLE_BYTES);
  return prefix;
}
