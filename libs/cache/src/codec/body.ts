import { Packr } from 'msgpackr';
import { CacheEncodingError, CacheFormatError } from '../cache.errors.js';

/**
 * structuredClone keeps shared references, Map, Set, Date, BigInt and typed arrays. Records, the default, are
 * self-contained in each message, as no shared structures are given.
 */
const packr = new Packr({
  structuredClone: true,
  moreTypes: true,
  useBigIntExtension: true,
  copyBuffers: true,
  useToJSON: false,
});

/** MessagePack of a value. @throws {CacheEncodingError} */
export function packBody(value: unknown): Buffer {
  try {
    return packr.pack(value);
  } catch (error) {
    throw new CacheEncodingError({ cause: error });
  }
}

/** The value of {@link packBody}. @throws {CacheFormatError} */
export function unpackBody(bytes: Buffer): unknown {
  try {
    return packr.unpack(bytes) as unknown;
  } catch (error) {
    throw new CacheFormatError('not MessagePack', { cause: error });
  }
}
