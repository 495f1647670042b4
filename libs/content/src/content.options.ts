import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { s3ConnectionSchema } from './storage/storage.options.js';

/** Options of the workload itself; those of its storage are apart. */
export const contentOptionsSchema = z.strictObject({
  /** Signs the cursors of lists; at least 32 characters, the same for every process. */
  cursorSecret: z.string().min(32),
  /** Contents of this many bytes and more are streamed, never held in memory as a whole. */
  streamFromBytes: z.int().positive().default(1_048_576),
  /**
   * Streamed contents of up to this many bytes pass through the cache's object tier in pieces; 0 for none. Worth it when
   * that tier is nearer than the storage.
   */
  cachePiecesUpToBytes: z.int().nonnegative().default(0),
  /** How often a worker looks for extractions and releases that were lost, in milliseconds. */
  sweepIntervalMs: z.int().positive().default(60_000),
  /** Files of more bytes are converted by a task, not by the request that asks. */
  convertInTaskFromBytes: z.int().nonnegative().default(1_048_576),
  /** Files of more bytes are not converted. A thread holds a file and its result in memory. */
  convertMaxBytes: z.int().positive().max(268_435_456).default(67_108_864),
  /** Threads that convert, at most. */
  conversionThreads: z.int().min(1).max(64).default(2),
  /** How long one conversion may take, milliseconds; its thread is ended then. */
  conversionTimeoutMs: z.int().positive().default(30_000),
  /** The program of such a thread. @default the built one of this library */
  conversionProgram: z.instanceof(URL).optional(),
  /** What may be mirrored into and out of workspaces; nothing by default. */
  sync: z
    .strictObject({
      /** Absolute paths: they and the folders below them. */
      roots: z.array(z.string().refine(isAbsolute, 'expected an absolute path')).default([]),
      /** Names of buckets at the server of `s3`. */
      buckets: z.array(z.string().min(3).max(63)).default([]),
      /** How the server of the buckets is reached. */
      s3: s3ConnectionSchema.optional(),
      /** Files that one sync copies at once. */
      concurrency: z.int().min(1).max(256).default(8),
      /** Largest file that is taken in, bytes; a larger one is skipped and named. */
      limitBytes: z.int().positive().default(5_368_709_120),
    })
    .prefault({}),
});

export type ContentOptionsInput = z.input<typeof contentOptionsSchema>;
export type ContentOptions = Readonly<z.output<typeof contentOptionsSchema>>;

/** The parsed options. */
export const CONTENT_OPTIONS = Symbol('@peregrine/content:options');
