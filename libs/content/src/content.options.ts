import { z } from 'zod';

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
});

export type ContentOptionsInput = z.input<typeof contentOptionsSchema>;
export type ContentOptions = Readonly<z.output<typeof contentOptionsSchema>>;

/** The parsed options. */
export const CONTENT_OPTIONS = Symbol('@peregrine/content:options');
