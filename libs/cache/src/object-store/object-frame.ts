import { createHash } from 'node:crypto';
import { Packr } from 'msgpackr';
import { CacheFormatError } from '../cache.errors.js';
import type { Scope } from '../coherence/scopes.js';
import { readAtLeast, resume } from './byte-streams.js';

/** Raised when the layout changes; readers take another version for a miss. */
const FRAME_VERSION = 1;
/** u8 version, u32 length of the head. Then the head (MessagePack), then the body. */
const PRELUDE_BYTES = 5;
const MAX_HEAD_BYTES = 1_024 * 1_024;

const packr = new Packr({ useRecords: false, copyBuffers: true });

/** What an entry that is kept as a stream of bytes has beside them; that of a value is in its codec's header. */
export interface BytesFacts {
  readonly freshMs: number;
  readonly hardMs: number;
  readonly loadMs: number;
  readonly createdAt: number;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly compressed: boolean;
}

/** What stands before the body of every object of the cache. */
export interface FrameHead {
  /** Milliseconds since 1970 by the clock of the writer; of another machine, it may be. */
  readonly storedAt: number;
  readonly hardUntil: number;
  /** Generations that the load has noted: of the key, and of each scope. */
  readonly key: Buffer;
  readonly scopes: readonly Scope[];
  readonly tokens: readonly Buffer[];
  /** Absent for a value. */
  readonly bytes?: BytesFacts | undefined;
}

/** An object while it is read: its head, and the body that is still to come. */
export interface OpenFrame {
  readonly head: FrameHead;
  /** Names the head among all: a body that is bound to it opens under no other. */
  readonly digest: string;
  readonly body: AsyncGenerator<Buffer, void, undefined>;
}

export function encodeFrameHead(head: FrameHead): { readonly bytes: Buffer; readonly digest: string } {
  const packed = packr.pack(head);
  if (packed.length > MAX_HEAD_BYTES) throw new CacheFormatError('an object depends on too many scopes');
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  prelude.writeUInt8(FRAME_VERSION, 0);
  prelude.writeUInt32BE(packed.length, 1);
  return { bytes: Buffer.concat([prelude, packed]), digest: digestOf(packed) };
}

/** Reads the head and no more than the piece that it ends in. @throws {CacheFormatError} */
export async function openFrame(source: AsyncIterator<unknown>): Promise<OpenFrame> {
  const start = await readAtLeast(source, PRELUDE_BYTES);
  if (start.length < PRELUDE_BYTES || start.readUInt8(0) !== FRAME_VERSION) {
    throw new CacheFormatError('an object of another version');
  }
  const length = start.readUInt32BE(1);
  if (length > MAX_HEAD_BYTES) throw new CacheFormatError('the head of an object is too long');
  const end = PRELUDE_BYTES + length;
  const more = start.length < end ? await readAtLeast(source, end - start.length) : Buffer.alloc(0);
  const all = more.length === 0 ? start : Buffer.concat([start, more]);
  if (all.length < end) throw new CacheFormatError('an object is too short');
  const packed = all.subarray(PRELUDE_BYTES, end);
  return { head: decodeHead(packed), digest: digestOf(packed), body: resume([all.subarray(end)], source) };
}

const digestOf = (packed: Buffer) => createHash('sha256').update(packed).digest('base64url');

function decodeHead(packed: Buffer): FrameHead {
  let head: Partial<FrameHead> | null;
  try {
    head = packr.unpack(packed) as Partial<FrameHead> | null;
  } catch (error) {
    throw new CacheFormatError('the head of an object is no MessagePack', { cause: error });
  }
  const { storedAt, hardUntil, key, scopes, tokens } = head ?? {};
  const whole =
    typeof storedAt === 'number' &&
    typeof hardUntil === 'number' &&
    Buffer.isBuffer(key) &&
    Array.isArray(scopes) &&
    Array.isArray(tokens) &&
    scopes.length === tokens.length;
  if (!whole) throw new CacheFormatError('the head of an object lacks something');
  return head as FrameHead;
}
