import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { CacheFormatError, CacheUnknownKeyError } from '../cache.errors.js';

/** A key of AES-256-GCM. */
export interface EncryptionKey {
  /** Goes with every entry in clear, up to 255 bytes. */
  readonly id: string;
  /** 32 bytes, or their base64 form. */
  readonly key: Uint8Array | string;
}

/** Keys of a namespace: the first encrypts, all of them decrypt. */
export interface EncryptionOptions {
  readonly keys: readonly EncryptionKey[];
}

const ALGORITHM = 'aes-256-gcm';
/** 96 random bits, as NIST SP 800-38D, section 8.2.2: safe up to 2^32 entries under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Authenticated encryption of bodies. What goes along in clear (`context`) can not be exchanged either. */
export class BodyCipher {
  /** Id of the key that encrypts. */
  readonly keyId: string;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #first: KeyObject;

  /** @throws {RangeError} without a key, or for one that has not 32 bytes; the message does not show it. */
  constructor({ keys }: EncryptionOptions) {
    this.#keys = new Map(keys.map(({ id, key }) => [id, secret(key)]));
    const [first] = keys;
    const key = first && this.#keys.get(first.id);
    if (first === undefined || key === undefined) throw new RangeError('Encryption needs a key');
    this.keyId = first.id;
    this.#first = key;
  }

  /** `nonce | ciphertext | tag`. */
  seal(body: Buffer, context: readonly Uint8Array[]): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#first, nonce);
    cipher.setAAD(Buffer.concat(context));
    return Buffer.concat([nonce, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws {CacheUnknownKeyError} {@link CacheFormatError} when body or context are not those that were sealed. */
  open(keyId: string, sealed: Buffer, context: readonly Uint8Array[]): Buffer {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new CacheUnknownKeyError(keyId);
    try {
      const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.concat(context));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (error) {
      throw new CacheFormatError('an encrypted body was changed, or belongs to another entry', {
        cause: error,
      });
    }
  }
}

function secret(key: Uint8Array | string): KeyObject {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : Buffer.from(key);
  if (bytes.length !== 32) throw new RangeError('An encryption key must have 32 bytes');
  return createSecretKey(bytes);
}
