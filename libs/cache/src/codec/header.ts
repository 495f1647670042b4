import { CacheFormatError } from '../cache.errors.js';
import { Compression, type CompressionId } from './compression.js';

/** Raised when the layout changes. */
export const WIRE_VERSION = 2;

/** What goes before the body of an entry, in clear. */
export interface Header {
  readonly schemaVersion: number;
  readonly compression: CompressionId;
  readonly createdAt: number;
  readonly freshMs: number;
  readonly hardMs: number;
  readonly loadMs: number;
  /** Id of the key that encrypted the body. */
  readonly keyId?: string | undefined;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

const FIXED_BYTES = 36;
const MAX_TEXT_BYTES = 0xffff;
const TEXTS = ['keyId', 'etag', 'lastModified'] as const;

/**
 * u8 wire version · u8 compression (low 4 bits) and which texts follow (bit 4: key id, 5: etag, 6: last modified) ·
 * u16 schema version · f64 createdAt, freshMs, hardMs, loadMs · the texts, each u16 length and UTF-8. Big endian.
 */
export function writeHeader(header: Header): Buffer {
  const texts = TEXTS.map((name) => textOf(header[name]));
  const size = texts.reduce((sum, it) => sum + (it === undefined ? 0 : 2 + it.length), FIXED_BYTES);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUInt8(WIRE_VERSION, 0);
  bytes.writeUInt16BE(header.schemaVersion, 2);
  bytes.writeDoubleBE(header.createdAt, 4);
  bytes.writeDoubleBE(header.freshMs, 12);
  bytes.writeDoubleBE(header.hardMs, 20);
  bytes.writeDoubleBE(header.loadMs, 28);
  let flags: number = header.compression;
  let at = FIXED_BYTES;
  for (const [i, text] of texts.entries()) {
    if (text === undefined) continue;
    flags |= 0x10 << i;
    bytes.writeUInt16BE(text.length, at);
    at += 2 + text.copy(bytes, at + 2);
  }
  bytes.writeUInt8(flags, 1);
  return bytes;
}

/** The header and its size in bytes. @throws {CacheFormatError} when it was written by another version, or damaged. */
export function readHeader(bytes: Buffer): Header & { readonly size: number } {
  if (bytes.length < FIXED_BYTES) throw new CacheFormatError('too short');
  const version = bytes.readUInt8(0);
  if (version !== WIRE_VERSION) throw new CacheFormatError(`wire version ${version}`);
  const flags = bytes.readUInt8(1);
  const texts: { -readonly [name in (typeof TEXTS)[number]]?: string } = {};
  let size = FIXED_BYTES;
  for (const [i, name] of TEXTS.entries()) {
    if ((flags & (0x10 << i)) === 0) continue;
    if (size + 2 > bytes.length) throw new CacheFormatError('too short');
    const end = size + 2 + bytes.readUInt16BE(size);
    if (end > bytes.length) throw new CacheFormatError('too short');
    texts[name] = bytes.toString('utf8', size + 2, end);
    size = end;
  }
  return {
    schemaVersion: bytes.readUInt16BE(2),
    compression: compressionOf(flags & 0x0f),
    createdAt: bytes.readDoubleBE(4),
    freshMs: bytes.readDoubleBE(12),
    hardMs: bytes.readDoubleBE(20),
    loadMs: bytes.readDoubleBE(28),
    ...texts,
    size,
  };
}

/** A validator longer than any real one is left out: the next load is not conditional then. */
function textOf(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text);
  return bytes.length > MAX_TEXT_BYTES ? undefined : bytes;
}

function compressionOf(id: number): CompressionId {
  if (id === Compression.none || id === Compression.gzip || id === Compression.brotli) return id;
  throw new CacheFormatError(`compression ${id}`);
}
