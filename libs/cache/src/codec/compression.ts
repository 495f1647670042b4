import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { CacheFormatError } from '../cache.errors.js';

/** How bodies are compressed; `auto` is the choice of this library, by measurement. */
export type CompressionAlgorithm = 'auto' | 'brotli' | 'gzip' | 'none';

/** When and how bodies are compressed. */
export interface CompressionOptions {
  readonly algorithm: CompressionAlgorithm;
  /** Smaller bodies stay as they are, bytes. */
  readonly minBytes: number;
}

/** How a body was compressed; the numbers are part of the wire format. */
export const Compression = { none: 0, gzip: 1, brotli: 2 } as const;
export type CompressionId = (typeof Compression)[keyof typeof Compression];

/** A body on the wire. */
export interface CompressedBody {
  readonly compression: CompressionId;
  readonly bytes: Buffer;
}

/** Larger bodies go to the thread pool, so that they do not hold up the event loop. */
export const ASYNC_BYTES = 32 * 1024;
/** What compression has to save: less is not worth the time of every reader. */
const WORTHWHILE = 0.9;
/** A large body is judged by a piece of it. */
const PROBE_BYTES = 8 * 1024;
/** More than any entry holds: a damaged body must not fill the memory. */
const MAX_BYTES = 2 ** 30;

const brotliOptions = (bytes: number) => ({
  params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes },
});

interface Packer {
  readonly id: CompressionId;
  sync(raw: Buffer): Buffer;
  async(raw: Buffer): Promise<Buffer>;
}

/** Node's own promises are of another realm where modules run in a context of their own, as in Jest: not `instanceof Promise`. */
const ownPromise =
  <A extends readonly unknown[], R>(run: (...args: A) => Promise<R>) =>
  async (...args: A): Promise<R> =>
    run(...args);

const gzipAsync = ownPromise(promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip));
const gunzipAsync = ownPromise(promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip));
const brotliAsync = ownPromise(promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress));
const unbrotliAsync = ownPromise(promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress));

const gzip = (level: number): Packer => ({
  id: Compression.gzip,
  sync: (raw) => zlib.gzipSync(raw, { level }),
  async: (raw) => gzipAsync(raw, { level }),
});

/**
 * `auto` is gzip at level 1: the size of brotli 4 at half its time to write, and the least time to read; brotli at level 5
 * is the smallest, gzip at level 6 between them (tools/bench/src/cache/compression.ts). zstd would be better for large
 * bodies, but Node 22.12 can not read it.
 */
const PACKERS: Readonly<Record<Exclude<CompressionAlgorithm, 'none'>, Packer>> = {
  auto: gzip(1),
  gzip: gzip(6),
  brotli: {
    id: Compression.brotli,
    sync: (raw) => zlib.brotliCompressSync(raw, brotliOptions(raw.length)),
    async: (raw) => brotliAsync(raw, brotliOptions(raw.length)),
  },
};

/** Compresses a body where that is worthwhile; at once up to {@link ASYNC_BYTES}, beyond it in the thread pool. */
export function compress(
  raw: Buffer,
  { algorithm, minBytes }: CompressionOptions,
): CompressedBody | Promise<CompressedBody> {
  if (algorithm === 'none' || raw.length < minBytes) return asItIs(raw);
  const packer = PACKERS[algorithm];
  if (raw.length <= ASYNC_BYTES) return smaller(raw, packer.sync(raw), packer.id);
  const middle = raw.length >> 1;
  const probe = raw.subarray(middle, middle + PROBE_BYTES);
  if (PACKERS.auto.sync(probe).length > WORTHWHILE * probe.length) return asItIs(raw);
  return packer.async(raw).then((packed) => smaller(raw, packed, packer.id));
}

/** The body before {@link compress}. @throws {CacheFormatError} also as a rejection. */
export function decompress({ compression, bytes }: CompressedBody): Buffer | Promise<Buffer> {
  if (compression === Compression.none) return bytes;
  const options = { maxOutputLength: MAX_BYTES };
  const isGzip = compression === Compression.gzip;
  // It grows by about three: what is larger on this side too.
  if (bytes.length > ASYNC_BYTES / 3) {
    return (isGzip ? gunzipAsync : unbrotliAsync)(bytes, options).catch(damaged);
  }
  try {
    return (isGzip ? zlib.gunzipSync : zlib.brotliDecompressSync)(bytes, options);
  } catch (error) {
    return damaged(error);
  }
}

const asItIs = (raw: Buffer): CompressedBody => ({ compression: Compression.none, bytes: raw });

const smaller = (raw: Buffer, packed: Buffer, compression: CompressionId): CompressedBody =>
  packed.length > WORTHWHILE * raw.length ? asItIs(raw) : { compression, bytes: packed };

function damaged(cause: unknown): never {
  throw new CacheFormatError('a compressed body is damaged', { cause });
}
