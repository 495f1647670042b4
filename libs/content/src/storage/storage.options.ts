import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { POSTGRES_MAX_BYTES } from './postgres-storage.js';
import { StorageOptionsError } from './storage.errors.js';

const MIB = 1024 * 1024;

const folderSchema = z.strictObject({
  /** Absolute path of the folder, on one file system. Made on first use. */
  root: z.string().refine(isAbsolute, 'expected an absolute path'),
});

/** How a server is reached, whatever the bucket. */
const connection = {
  region: z.string().min(1).default('us-east-1'),
  /** Of a server that is not Amazon's. */
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  /** Bucket in the path instead of the host name, as most servers that are not Amazon's want it. */
  forcePathStyle: z.boolean().default(false),
  /** Without the two keys the SDK looks for credentials itself: environment, profile, role of the machine. */
  accessKeyId: z.string().min(1).optional(),
  secretAccessKey: z.string().min(1).optional(),
  /** Time to connect, milliseconds. */
  connectTimeoutMs: z.int().positive().default(2_000),
  /** Time from a request to its answer, the sending of a part included, milliseconds. */
  requestTimeoutMs: z.int().positive().default(30_000),
  /** Time without a byte in either direction, milliseconds; bounds the body of an answer. */
  idleTimeoutMs: z.int().positive().default(60_000),
  /** Tries of one request, the first included. */
  maxAttempts: z.int().min(1).max(10).default(3),
  /** Connections at once; a download holds one until it is read. */
  maxSockets: z.int().min(1).max(10_000).default(256),
  /** Size of a part, bytes. The largest object has 10,000 parts. */
  partBytes: z
    .int()
    .min(5 * MIB)
    .max(512 * MIB)
    .default(8 * MIB),
  /** Parts of one upload that are sent at once; an upload holds at most one part more in memory. */
  concurrentParts: z.int().min(1).max(16).default(2),
};

const hasBothKeysOrNone = (it: { accessKeyId?: string | undefined; secretAccessKey?: string | undefined }) =>
  (it.accessKeyId === undefined) === (it.secretAccessKey === undefined);
const BOTH_KEYS = { message: 'accessKeyId and secretAccessKey belong together', path: ['secretAccessKey'] };

/** The options of a server whose buckets are named elsewhere. */
export const s3ConnectionSchema = z.strictObject(connection).refine(hasBothKeysOrNone, BOTH_KEYS);

const s3Schema = z
  .strictObject({
    bucket: z.string().min(3).max(63),
    /** Put before every key, so that a bucket can be shared. */
    prefix: z
      .string()
      .regex(/^([\w.-]+\/)*$/, 'expected folders that end in /')
      .default(''),
    ...connection,
  })
  .refine(hasBothKeysOrNone, BOTH_KEYS);

/** The schema of the options, to be part of a larger one. */
export const storageOptionsSchema = z
  .strictObject({
    /** Where new objects go. */
    driver: z.enum(['folder', 's3']),
    /** Needed for the driver `folder`; with another driver, objects that lie there stay readable. */
    folder: folderSchema.optional(),
    /** Needed for the driver `s3`; with another driver, objects that lie there stay readable. */
    s3: s3Schema.optional(),
    /** Objects of up to this many bytes go to the database, 0 for none. */
    databaseMaxBytes: z
      .int()
      .min(0)
      .max(POSTGRES_MAX_BYTES)
      .default(16 * 1024),
    /** Added to every read, milliseconds. For demonstrations and tests. */
    readLatencyMs: z.int().min(0).max(60_000).default(0),
  })
  .superRefine((it, context) => {
    if (it[it.driver] !== undefined) return;
    context.addIssue({
      code: 'custom',
      path: [it.driver],
      message: `the driver ${it.driver} needs these options`,
    });
  });

export type StorageOptionsInput = z.input<typeof storageOptionsSchema>;
export type StorageOptions = Readonly<z.output<typeof storageOptionsSchema>>;
export type S3ConnectionOptions = Readonly<z.output<typeof s3ConnectionSchema>>;
export type S3StorageOptions = Readonly<z.output<typeof s3Schema>>;

/**
 * Checks the options, fills in the defaults, freezes the result.
 *
 * @throws {StorageOptionsError} that lists every problem at once and holds none of the values
 */
export function parseStorageOptions(input: StorageOptionsInput): StorageOptions {
  const result = storageOptionsSchema.safeParse(input);
  if (!result.success) throw new StorageOptionsError(z.prettifyError(result.error));
  for (const part of [result.data.folder, result.data.s3]) Object.freeze(part);
  return Object.freeze(result.data);
}
