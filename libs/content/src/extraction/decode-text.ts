/**
 * How much of a file is searchable, in bytes, and how long its text gets in UTF-8. Keeps its words within the 1 MB
 * that a tsvector takes: a word and its parts need up to 3.7 times the bytes of the text (`ab-cd`).
 */
export const MAX_INDEXED_BYTES = 262_144;

/** How far into a file a NUL makes it binary, in bytes. */
const SNIFFED_BYTES = 8_192;

export type DecodedText = { text: string; detail: string | null } | { text: null; detail: string };

/** Everything below space but tab, line feed and carriage return; DEL; and C1. */
const CONTROL_CHARACTERS = /(?![\t\n\r])\p{Cc}/gu;

/** Media types that hold no text, so that their bytes need not be read. */
const BINARY_MEDIA_TYPE =
  /^(?:image\/(?!svg)|audio\/|video\/|font\/|application\/(?:zip|gzip|pdf|wasm|x-tar|java-archive|vnd\.))/;

/** Whether a file of this type may hold text at all. */
export function mayHoldText(mediaType: string): boolean {
  return !BINARY_MEDIA_TYPE.test(mediaType);
}

/**
 * The text in the beginning of a file, fit for PostgreSQL: UTF-8, or UTF-16 with a byte order mark; undecodable
 * bytes become U+FFFD and control characters (NUL above all) go.
 *
 * @param head at most `maxBytes` are looked at
 * @param sizeBytes of the whole file
 * @param maxBytes how long the text may be, in UTF-8
 * @returns null as text when the bytes are no text
 */
export function decodeText(head: Uint8Array, sizeBytes: number, maxBytes = MAX_INDEXED_BYTES): DecodedText {
  const bytes = head.subarray(0, maxBytes);
  const encoding = encodingOf(bytes);
  if (encoding === 'utf-8' && bytes.subarray(0, SNIFFED_BYTES).includes(0)) {
    return { text: null, detail: 'The content is binary; only its name and path are searchable.' };
  }
  const truncated = sizeBytes > bytes.length;
  // Streaming mode drops a character that the cut went through, instead of replacing it.
  const decoded = new TextDecoder(encoding)
    .decode(bytes, { stream: truncated })
    .replace(CONTROL_CHARACTERS, '');
  const text = firstBytes(decoded, maxBytes);
  const details: string[] = [];
  if (!isValid(bytes, encoding, truncated)) {
    details.push(`The text is not valid ${encoding.toUpperCase()}; undecodable bytes were replaced.`);
  }
  if (truncated || text.length < decoded.length)
    details.push(`Only the first ${maxBytes.toLocaleString('en')} bytes are searchable.`);
  return { text, detail: details.join(' ') || null };
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function isValid(bytes: Uint8Array, encoding: string, truncated: boolean): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: truncated });
    return true;
  } catch {
    return false;
  }
}

/** The beginning that fits in UTF-8: U+FFFD has three bytes where the file has one. */
function firstBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, maxBytes), {
    stream: true,
  });
}
