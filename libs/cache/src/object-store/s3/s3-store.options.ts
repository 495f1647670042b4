import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { CacheOptionsError } from '../../cache.errors.js';

const positive = z.number().int().positive();
const MIB = 1_024 * 1_024;

const schema = z.strictObject({
  bucket: z.string().min(3),
  /** First part of every name in the bucket. @default 'cache/' */
  prefix: z
    .string()
    .regex(/^[\w./-]{0,100}$/, 'use up to 100 letters, digits, "_", ".", "-" and "/"')
    .default('cache/'),
  /** A client of your own; then the options of the connection are its matter, and so is closing it. */
  client: z.custom<S3Client>((it) => typeof (it as S3Client | null)?.send === 'function').optional(),
  region: z.string().min(1).default('us-east-1'),
  /** Address of an S3-compatible server. @default that of AWS for the region */
  endpoint: z.url().optional(),
  /** The bucket in the path instead of in the name of the host, as many compatible servers want it. */
  forcePathStyle: z.boolean().default(false),
  /** @default what the environment gives, in the order of the AWS SDK */
  credentials: z
    .object({
      accessKeyId: z.string().min(1),
      secretAccessKey: z.string().min(1),
      sessionToken: z.string().optional(),
    })
    .optional(),
  /** Connections at the same time. @default 50 */
  maxSockets: positive.default(50),
  /** To connect, milliseconds. @default 2,000 */
  connectTimeoutMs: positive.default(2_000),
  /** Without a byte in either direction, milliseconds. @default 30,000 */
  idleTimeoutMs: positive.default(30_000),
  /** With the first one. A cache had better miss than wait. @default 2 */
  maxAttempts: positive.default(2),
  /** Size of a part of a multipart upload; a put of a stream takes up to three in memory. @default 5 MiB */
  partBytes: positive.min(5 * MIB).default(5 * MIB),
  /** Milliseconds since 1970, for tests. @default the wall clock, which never goes back for a running process */
  now: z.custom<() => number>((it) => typeof it === 'function', 'give a function').optional(),
});

/** What `new S3Store` takes. */
export type S3StoreOptions = z.input<typeof schema>;
export type ParsedS3StoreOptions = Readonly<z.output<typeof schema>>;

/** @throws {CacheOptionsError} with every problem at once. */
export function parseS3StoreOptions(input: S3StoreOptions): ParsedS3StoreOptions {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new CacheOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
}
