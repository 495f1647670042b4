import { CacheFormatError, CacheUnknownKeyError } from '../cache.errors.js';
import type { EntryDraft } from '../entry.js';
import { packBody, unpackBody } from './body.js';
import { compress, decompress, type CompressedBody, type CompressionOptions } from './compression.js';
import { BodyCipher, type EncryptionOptions } from './encryption.js';
import { readHeader, WIRE_VERSION, writeHeader } from './header.js';

/** What of a namespace shapes its binary form. */
export interface CodecOptions {
  /** Version of the values' own shape, 0 to 65,535. @default 0 */
  readonly schemaVersion?: number;
  /** @default { algorithm: 'auto', minBytes: 4,096 } */
  readonly compression?: CompressionOptions;
  /** @default none */
  readonly encryption?: EncryptionOptions | undefined;
}

/** An entry as it was encoded, with what is left of its times. */
export type DecodedEntry = EntryDraft;

/** Binary form of the entries of one namespace: header, and a body that is packed, compressed and encrypted. */
export interface Codec {
  /**
   * Names wire and schema version. Entries of other versions live beside those of this one under their own name, so that old
   * and new programs do not touch each other's.
   */
  readonly version: string;
  /**
   * @param address what the bytes will be stored under; encrypted bytes can be read under no other
   * @returns a promise for large bodies only
   * @throws {CacheEncodingError} also as a rejection
   */
  encode(address: string, draft: EntryDraft): Buffer | Promise<Buffer>;
  /**
   * @param remainingMs what the store says is left of the entry's whole life; no wall clock is asked
   * @throws {CacheFormatError} {@link CacheUnknownKeyError} also as rejections
   */
  decode(address: string, bytes: Buffer, remainingMs: number): DecodedEntry | Promise<DecodedEntry>;
}

const COMPRESSION: CompressionOptions = { algorithm: 'auto', minBytes: 4_096 };

/** @throws {RangeError} for keys that do not fit. */
export function createCodec({
  schemaVersion = 0,
  compression = COMPRESSION,
  encryption,
}: CodecOptions = {}): Codec {
  return new EntryCodec(schemaVersion, compression, encryption && new BodyCipher(encryption));
}

class EntryCodec implements Codec {
  readonly version: string;

  constructor(
    private readonly schemaVersion: number,
    private readonly compression: CompressionOptions,
    private readonly cipher: BodyCipher | undefined,
  ) {
    this.version = `${WIRE_VERSION}.${schemaVersion}`;
  }

  encode(address: string, draft: EntryDraft): Buffer | Promise<Buffer> {
    const body = compress(packBody(draft.value), this.compression);
    return body instanceof Promise
      ? body.then((it) => this.#assemble(address, draft, it))
      : this.#assemble(address, draft, body);
  }

  decode(address: string, bytes: Buffer, remainingMs: number): DecodedEntry | Promise<DecodedEntry> {
    const { schemaVersion, keyId, compression, size, ...rest } = readHeader(bytes);
    if (schemaVersion !== this.schemaVersion) throw new CacheFormatError(`schema ${schemaVersion}`);
    const stored = bytes.subarray(size);
    const body = decompress({
      compression,
      bytes: this.#open(address, keyId, bytes.subarray(0, size), stored),
    });
    const finish = (raw: Buffer): DecodedEntry => ({
      ...rest,
      value: unpackBody(raw),
      hardMs: remainingMs,
      freshMs: remainingMs - (rest.hardMs - rest.freshMs),
    });
    return body instanceof Promise ? body.then(finish) : finish(body);
  }

  #assemble(address: string, draft: EntryDraft, { compression, bytes }: CompressedBody): Buffer {
    const { schemaVersion, cipher } = this;
    const header = writeHeader({ ...draft, schemaVersion, compression, keyId: cipher?.keyId });
    const body = cipher === undefined ? bytes : cipher.seal(bytes, contextOf(address, header));
    return Buffer.concat([header, body]);
  }

  #open(address: string, keyId: string | undefined, header: Buffer, body: Buffer): Buffer {
    // Where entries are encrypted, one in clear was not written by us.
    if (keyId === undefined && this.cipher !== undefined)
      throw new CacheFormatError('an entry is not encrypted');
    if (keyId === undefined) return body;
    if (this.cipher === undefined) throw new CacheUnknownKeyError(keyId);
    return this.cipher.open(keyId, body, contextOf(address, header));
  }
}

/** The address holds the namespace, and the header has a length of its own: no two pairs give the same bytes. */
const contextOf = (address: string, header: Buffer) => [Buffer.from(`${address}\0`), header];
