import { pipeline, type Readable, type Transform } from 'node:stream';
import { brotliCompressSync, constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib';
import { readAtLeast, resume, streamOf } from './byte-streams.js';

/** Smaller streams stay as they are, bytes. */
const MIN_BYTES = 4_096;
const PROBE_BYTES = 16 * 1_024;
/** What compression has to save: less is not worth the time of every reader. */
const WORTHWHILE = 0.9;
/**
 * Brotli at quality 1: on source code and JSON it compressed like zstd at level 1 in the same time, and better than gzip
 * at level 1 in half of its time; every Node we run on can read it.
 */
const OPTIONS = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** Chunks on their way out, as they will be stored. */
export interface PackedStream {
  readonly compressed: boolean;
  readonly chunks: AsyncIterable<unknown>;
}

/** Judges a stream by its first bytes, and compresses it on the way where that saves something. */
export async function packStream(source: Readable, allowed: boolean): Promise<PackedStream> {
  const chunks = source[Symbol.asyncIterator]();
  const start = await readAtLeast(chunks, PROBE_BYTES);
  const whole = resume([start], chunks);
  if (!allowed || start.length < MIN_BYTES || !isCompressible(start))
    return { compressed: false, chunks: whole };
  return { compressed: true, chunks: through(whole, createBrotliCompress(OPTIONS)) };
}

/** The stream before {@link packStream}. */
export function unpackStream(chunks: AsyncGenerator<Buffer>, compressed: boolean): Readable {
  return compressed ? through(chunks, createBrotliDecompress()) : streamOf(chunks);
}

function isCompressible(start: Buffer): boolean {
  const probe = start.subarray(0, PROBE_BYTES);
  return brotliCompressSync(probe, OPTIONS).length < WORTHWHILE * probe.length;
}

/** Whoever reads it gets the failures of the source as its own, and ends the source by destroying it. */
function through(chunks: AsyncIterable<Buffer>, transform: Transform): Transform {
  return pipeline(streamOf(chunks), transform, () => undefined);
}
