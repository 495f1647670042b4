import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { InvalidCursorError } from '../database.errors.js';

/** A place in a list: the keys of a row, and which way the page lies from there. */
export interface CursorPosition {
  readonly direction: 'forward' | 'backward';
  /** Does the page begin with the row itself? Only after a page that turned out empty. */
  readonly inclusive: boolean;
  readonly values: readonly (string | number)[];
}

/** version, backward?, inclusive?, values */
type Body = readonly [version: 1, backward: 0 | 1, inclusive: 0 | 1, values: readonly (string | number)[]];

const VERSION = 1;
const SIGNATURE_BYTES = 16;
const MAX_LENGTH = 4096;
const MIN_SECRET_LENGTH = 16;

/**
 * Makes and reads opaque cursors: base64url of a signature (HMAC-SHA256, 16 bytes) and a JSON body. The scope is
 * signed but not carried, so a cursor works only for the list, filter and order that it was made for. The key values
 * are readable to whoever decodes them: they are signed, not encrypted.
 */
export class CursorCodec {
  readonly #key: Buffer;

  /** @param secret at least 16 characters, the same in all processes */
  constructor(secret: string) {
    if (secret.length < MIN_SECRET_LENGTH) {
      throw new RangeError(`A cursor secret needs at least ${MIN_SECRET_LENGTH} characters`);
    }
    // A key of our own, should the same secret sign other things too.
    this.#key = createHash('sha256').update('@peregrine/database:cursor\0').update(secret).digest();
  }

  /** @throws {RangeError} when the key values are too long to be read again (some 3,000 bytes) */
  encode(scope: string, { direction, inclusive, values }: CursorPosition): string {
    const body: Body = [VERSION, direction === 'backward' ? 1 : 0, inclusive ? 1 : 0, values];
    const bytes = Buffer.from(JSON.stringify(body));
    const cursor = Buffer.concat([this.#sign(scope, bytes), bytes]).toString('base64url');
    if (cursor.length > MAX_LENGTH) throw new RangeError('The key values are too long for a cursor');
    return cursor;
  }

  /** @throws {InvalidCursorError} for anything that {@link encode} did not make for this scope */
  decode(scope: string, cursor: string): CursorPosition {
    if (cursor.length > MAX_LENGTH) throw new InvalidCursorError();
    const bytes = Buffer.from(cursor, 'base64url');
    // Node skips characters outside the alphabet: only the one true spelling counts.
    if (bytes.length <= SIGNATURE_BYTES || bytes.toString('base64url') !== cursor)
      throw new InvalidCursorError();
    const body = bytes.subarray(SIGNATURE_BYTES);
    if (!timingSafeEqual(this.#sign(scope, body), bytes.subarray(0, SIGNATURE_BYTES)))
      throw new InvalidCursorError();
    // Signed, hence ours; another version of the program may have written it.
    const [version, backward, inclusive, values] = JSON.parse(body.toString()) as Body;
    if (version !== VERSION) throw new InvalidCursorError();
    return { direction: backward === 1 ? 'backward' : 'forward', inclusive: inclusive === 1, values };
  }

  /** The length keeps scope and body apart. */
  #sign(scope: string, body: Buffer): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${Buffer.byteLength(scope)}:${scope}:`)
      .update(body)
      .digest()
      .subarray(0, SIGNATURE_BYTES);
  }
}
