import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';
import type { PolicyOptionsInput } from '../policy/policy.options.js';
import type { PolicyTable } from '../policy/policy-table.js';
import { DEFAULT_GRACE_MS } from '../versions/releases.js';

const MIB = 1024 * 1024;
const positive = z.number().int().positive();
const whole = z.number().int().nonnegative();

export const compressionSchema = z.strictObject({
  /**
   * Whether answers are compressed. A function is asked on every request, with the path in the root; answers then carry
   * Vary in any case, because others of the same URL may have been compressed.
   */
  enabled: z
    .union([
      z.boolean(),
      z.custom<(path: string) => boolean>((it) => typeof it === 'function', 'give a boolean or a function'),
    ])
    .default(true),
  /** Use `.br`, `.zst` and `.gz` beside a file. */
  precompressed: z.boolean().default(true),
  /** Compress what has no such file, and keep the outcome in memory. */
  onTheFly: z.boolean().default(true),
  /** Of brotli on the fly, 0 to 11. */
  brotliQuality: whole.max(11).default(5),
  /** Of gzip on the fly, 1 to 9. */
  gzipLevel: positive.max(9).default(6),
  /** Smaller files are sent as they are, bytes. */
  minBytes: whole.default(1_024),
});

const pathPrefix = z
  .string()
  .regex(/^(?:\/[\w-]+(?:\.[\w-]+)*)*$/, 'write it as "/static": no "/" at the end');

const schema = z.strictObject({
  /** Folder with the files. Nothing outside of it is ever sent, links included. */
  root: z.string().min(1),
  /** Under which path of the server the files are, without a `/` at the end. @default '' */
  prefix: pathPrefix.default(''),
  /** A table, or what to make one from; the table checks it. */
  policy: z.custom<PolicyTable | PolicyOptionsInput>((it) => typeof it === 'object').default({}),
  compression: compressionSchema.prefault({}),
  memory: z
    .strictObject({
      /** Bound of files, their codings and headers in memory, bytes. */
      maxBytes: positive.default(128 * MIB),
      /** Larger files are read from the disk for each request, bytes. */
      maxFileBytes: whole.default(4 * MIB),
    })
    .prefault({}),
  /** How long files and releases are believed to be unchanged, milliseconds. 0 looks for each request. */
  revalidateMs: whole.default(1_000),
  /** How long files of a replaced release keep answering, milliseconds. */
  graceMs: whole.default(DEFAULT_GRACE_MS),
  /** Of reads from the disk, bytes: large ones cost less CPU, and each download in progress holds one. */
  chunkBytes: positive.max(16 * MIB).default(512 * 1024),
  /** Most parts of one answer; with more ranges everything is sent. */
  maxRanges: whole.max(1_000).default(16),
  /** Names of the file that stands for a folder, the first that exists; false for none. */
  index: z
    .union([z.string(), z.array(z.string()), z.literal(false)])
    .default('index.html')
    .transform((it): readonly string[] => (it === false ? [] : [it].flat())),
  /** Extensions to try for a path that names no file: `['html']` serves `/about` from `about.html`. */
  extensions: z
    .union([z.array(z.string()), z.literal(false)])
    .default([])
    .transform((it): readonly string[] => (it === false ? [] : it)),
  /** Names that begin with a dot: as if they were not there, refused with 403, or served. */
  dotfiles: z.enum(['ignore', 'deny', 'allow']).default('ignore'),
  /** Send a folder without `/` at the end to the path with it; false answers as if it were not there. */
  redirect: z.boolean().default(true),
  /** Another spelling of a path (`//a`, `/%61`, `/b/../a`) is sent to the canonical one, or served in its place. */
  otherSpellings: z.enum(['redirect', 'serve']).default('redirect'),
  acceptRanges: z.boolean().default(true),
  etag: z.boolean().default(true),
  lastModified: z.boolean().default(true),
  /** A value for every `Cache-Control` in place of the policy's headers, or false for none. @default the policy's */
  cacheControl: z
    .union([z.string().regex(/^[\t\x20-\x7e]+$/, 'use printable ASCII on one line'), z.literal(false)])
    .optional(),
  /**
   * Send heads that were made in advance, through a field of Node's response that is not documented; false sends every
   * head in Node's own way, for about a tenth more CPU.
   */
  preparedHeads: z.boolean().default(true),
  /** Told of what no client is to know: a disk that fails, a release that does not parse. @default nobody */
  onError: z.custom<(error: Error) => void>((it) => typeof it === 'function').optional(),
  /** Lets an nginx in front send large files (`X-Accel-Redirect`). */
  accelRedirect: z
    .strictObject({
      /** The `internal` location of nginx whose root or alias is the same folder. */
      location: pathPrefix,
      /** Files of this size and above, bytes. */
      minBytes: positive.default(4 * MIB),
    })
    .optional(),
});

/** What an origin is made from. */
export type OriginOptionsInput = z.input<typeof schema>;
/** Parsed options: every default filled in. */
export type OriginOptions = Readonly<z.output<typeof schema>>;

/** @throws {CdnOptionsError} with every problem at once */
export function parseOriginOptions(input: OriginOptionsInput): OriginOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new CdnOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
  return Object.freeze(parsed.data);
}
