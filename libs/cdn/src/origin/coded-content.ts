import { createHash } from 'node:crypto';
// As a whole: Node before 22.15 has no zstd, and a missing name would not load.
import * as zlib from 'node:zlib';
import type { Coding } from '../http/accept-encoding.js';

/** A coding other than none. */
export type Compression = Exclude<Coding, 'identity'>;

/** Endings of the files that hold a compressed form of their neighbour. */
export const NEIGHBOUR_ENDINGS: Readonly<Record<Compression, string>> = {
  br: '.br',
  zstd: '.zst',
  gzip: '.gz',
};

/** How hard to try. */
export interface CompressionEffort {
  readonly brotliQuality: number;
  readonly gzipLevel: number;
  /** @default 19 */
  readonly zstdLevel?: number;
}

/** Strong: other bytes, another tag. 128 bits of SHA-256. */
export function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
}

/** Compresses in the thread pool. zstd only where {@link hasZstd}. */
export function compress(
  coding: Compression,
  bytes: Buffer,
  { brotliQuality, gzipLevel, zstdLevel = 19 }: CompressionEffort,
): Promise<Buffer> {
  const { constants } = zlib;
  return settled((done) => {
    if (coding === 'gzip') return zlib.gzip(bytes, { level: gzipLevel }, done);
    if (coding === 'zstd') {
      return zlib.zstdCompress(bytes, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } }, done);
    }
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: brotliQuality,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    return zlib.brotliCompress(bytes, { params }, done);
  });
}

/** Whether this Node knows zstd (22.15 and up). */
export const hasZstd = 'zstdDecompress' in zlib;

/** Whether `coded` is a compressed form of exactly `bytes`: a neighbour may be older than its file. */
export async function decodesTo(coding: Compression, coded: Buffer, bytes: Buffer): Promise<boolean> {
  if (coding === 'zstd' && !hasZstd) return false;
  // One byte more than there may be: a bomb ends there.
  const limit = { maxOutputLength: bytes.length + 1 };
  try {
    const decoded = await settled<Buffer>((done) => {
      if (coding === 'br') zlib.brotliDecompress(coded, limit, done);
      else if (coding === 'gzip') zlib.gunzip(coded, limit, done);
      else zlib.zstdDecompress(coded, limit, done);
    });
    return decoded.equals(bytes);
  } catch {
    return false;
  }
}

function settled<T>(start: (done: (error: Error | null, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)));
  });
}
