import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { DamagedObjectError, ObjectTooLargeError } from '../../cache.errors.js';
import { streamOf } from '../byte-streams.js';
import type { ObjectMetadata } from '../object-store.js';

/*
 * A file: prelude (32 bytes, big endian), head (JSON), body.
 *    0  "PGO1"
 *    4  length of the head, 4 bytes
 *    8  length of the body, 8 bytes as a double
 *   16  expiry, milliseconds since 1970 as a double; Infinity for none
 *   24  CRC-32 of the body
 *   28  CRC-32 of the 28 bytes before and of the head
 * The prelude is written last: what was not finished begins with zeros.
 */
const MAGIC = 0x50474f31;
const PRELUDE_BYTES = 32;
const MAX_HEAD_BYTES = 64 * 1_024;
/** Small objects come whole with the first read. */
const FIRST_READ_BYTES = 16 * 1_024;
const READ_BYTES = 256 * 1_024;

/** What a file says about its object beside the body. */
export interface ObjectFileHead {
  readonly key: string;
  readonly etag: string;
  readonly metadata: ObjectMetadata;
}

/** @throws {ObjectTooLargeError} */
export function encodeHead(head: ObjectFileHead): Buffer {
  const bytes = Buffer.from(JSON.stringify(head));
  if (bytes.length > MAX_HEAD_BYTES) throw new ObjectTooLargeError('key of an object', MAX_HEAD_BYTES);
  return bytes;
}

/** Writes a file piece by piece; until `finish` it is recognisable as unfinished. */
export class ObjectFileWriter {
  #crc = 0;
  #bodyBytes = 0;
  readonly #bodyAt: number;

  constructor(
    private readonly handle: FileHandle,
    private readonly head: Buffer,
  ) {
    this.#bodyAt = PRELUDE_BYTES + head.length;
  }

  /** Bytes of the file so far. */
  get fileBytes(): number {
    return this.#bodyAt + this.#bodyBytes;
  }

  async append(chunk: Buffer): Promise<void> {
    await this.#write(chunk, this.fileBytes);
    this.#bodyBytes += chunk.length;
    this.#crc = crc32(chunk, this.#crc);
  }

  async finish(expiresAt: number): Promise<void> {
    const prelude = Buffer.alloc(PRELUDE_BYTES);
    prelude.writeUInt32BE(MAGIC, 0);
    prelude.writeUInt32BE(this.head.length, 4);
    prelude.writeDoubleBE(this.#bodyBytes, 8);
    prelude.writeDoubleBE(expiresAt, 16);
    prelude.writeUInt32BE(this.#crc, 24);
    prelude.writeUInt32BE(crc32(this.head, crc32(prelude.subarray(0, 28))), 28);
    await this.#write(Buffer.concat([prelude, this.head]), 0);
  }

  async #write(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }
}

/** A file of which the head was read and found in order. It must be closed, or its body taken. */
export class ObjectFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly start: Buffer,
    private readonly bodyAt: number,
    private readonly crc: number,
    readonly head: ObjectFileHead,
    readonly bodyBytes: number,
    readonly expiresAt: number,
  ) {}

  get fileBytes(): number {
    return this.bodyAt + this.bodyBytes;
  }

  /** @throws {DamagedObjectError}, or what the system says */
  static async open(path: string): Promise<ObjectFile> {
    const handle = await open(path, 'r');
    try {
      return await ObjectFile.#parse(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  static async #parse(handle: FileHandle): Promise<ObjectFile> {
    const [start, { size }] = await Promise.all([readAt(handle, FIRST_READ_BYTES, 0), handle.stat()]);
    if (start.length < PRELUDE_BYTES || start.readUInt32BE(0) !== MAGIC) {
      throw new DamagedObjectError('no prelude');
    }
    const headBytes = start.readUInt32BE(4);
    const bodyBytes = start.readDoubleBE(8);
    const bodyAt = PRELUDE_BYTES + headBytes;
    if (headBytes > MAX_HEAD_BYTES || size !== bodyAt + bodyBytes) {
      throw new DamagedObjectError(`${size} bytes in the file`);
    }
    const whole = bodyAt <= start.length ? start : await readAt(handle, bodyAt, 0);
    const head = whole.subarray(PRELUDE_BYTES, bodyAt);
    if (crc32(head, crc32(start.subarray(0, 28))) !== start.readUInt32BE(28)) {
      throw new DamagedObjectError('its head has another checksum');
    }
    return new ObjectFile(
      handle,
      whole,
      bodyAt,
      start.readUInt32BE(24),
      JSON.parse(head.toString()) as ObjectFileHead,
      bodyBytes,
      start.readDoubleBE(16),
    );
  }

  /** Sets access and modification time, seconds. */
  touch(atime: number, mtime: number): Promise<void> {
    return this.handle.utimes(atime, mtime);
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  /** Takes over the file. @throws {DamagedObjectError} at once for a small body; a large one ends with it */
  async body(onDamaged: () => void): Promise<Readable> {
    if (this.fileBytes > this.start.length) {
      const { handle, start, bodyAt, fileBytes, crc } = this;
      return new FileBody(handle, start.subarray(bodyAt), {
        position: start.length,
        end: fileBytes,
        crc,
        onDamaged,
      });
    }
    // The whole of it is here: the file is closed before anyone reads, and nothing is left to leak.
    await this.handle.close();
    const bytes = this.start.subarray(this.bodyAt, this.fileBytes);
    if (crc32(bytes) === this.crc) return streamOf(bytes.length === 0 ? [] : [bytes]);
    onDamaged();
    throw new DamagedObjectError('its body has another checksum');
  }
}

interface BodyRest {
  /** Where the file goes on after the first piece. */
  readonly position: number;
  readonly end: number;
  readonly crc: number;
  onDamaged(): void;
}

/** The body of a file in large pieces; it ends only when its checksum is right. */
class FileBody extends Readable {
  #crc = 0;
  #position: number;
  #first: Buffer | undefined;

  constructor(
    private readonly handle: FileHandle,
    first: Buffer,
    private readonly rest: BodyRest,
  ) {
    super({ highWaterMark: READ_BYTES });
    this.#first = first;
    this.#position = rest.position;
  }

  override _read(): void {
    this.#next().catch((error: unknown) => this.destroy(error as Error));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.handle.close().then(
      () => done(error),
      (closing: unknown) => done(error ?? (closing as Error)),
    );
  }

  async #next(): Promise<void> {
    const { end, crc } = this.rest;
    const chunk = this.#first ?? (await this.#readOn(end));
    this.#first = undefined;
    this.#crc = crc32(chunk, this.#crc);
    if (this.#position === end && this.#crc !== crc) this.#damaged('its body has another checksum');
    if (chunk.length > 0) this.push(chunk);
    // An empty first piece is no end.
    else if (this.#position < end) return this.#next();
    if (this.#position === end) this.push(null);
  }

  async #readOn(end: number): Promise<Buffer> {
    const chunk = await readAt(this.handle, Math.min(READ_BYTES, end - this.#position), this.#position);
    if (chunk.length === 0) this.#damaged('it ends too soon');
    this.#position += chunk.length;
    return chunk;
  }

  #damaged(what: string): never {
    this.rest.onDamaged();
    throw new DamagedObjectError(what);
  }
}

/** Up to so many bytes from a position; fewer only at the end of the file. */
async function readAt(handle: FileHandle, bytes: number, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await handle.read(buffer, done, bytes - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}
