import { z } from 'zod';
import { InvalidBatchProcessorOptionsError } from '../task-queue.errors.js';

const count = z.number().int().min(1);
const milliseconds = z.number().positive().max(2_147_483_647);

const schema = z
  .strictObject({
    targetMs: milliseconds.default(1_000),
    minSize: count.default(10),
    maxSize: count.max(1_000_000).default(5_000),
    initialSize: count.optional(),
    concurrency: count.max(1_000).default(4),
    maxWaitMs: milliseconds.optional(),
    failFast: z.boolean().default(false),
    bisect: z.boolean().default(false),
  })
  .refine((it) => it.minSize <= it.maxSize, { message: 'minSize must not be above maxSize' });

/** How lists are cut into batches and what a failure does. */
export interface BatchProcessorOptions {
  /** What a batch should take, milliseconds. @default 1_000 */
  readonly targetMs?: number;
  /** @default 10 */
  readonly minSize?: number;
  /** @default 5_000 */
  readonly maxSize?: number;
  /** Size of the first batch. @default minSize */
  readonly initialSize?: number;
  /**
   * Batches that run at once. The default keeps a store busy while an answer travels, and leaves a connection of an
   * ordinary pool of five for others.
   *
   * @default 4
   */
  readonly concurrency?: number;
  /** A slow asynchronous source lets a batch that has something go after this, milliseconds. @default targetMs */
  readonly maxWaitMs?: number;
  /** The first item that fails ends everything with a `BatchItemFailedError`. @default false */
  readonly failFast?: boolean;
  /**
   * A batch whose handler throws is tried again in halves, down to the items that fail alone. For handlers that may
   * see an item again. @default false: all items of the batch fail
   */
  readonly bisect?: boolean;
}

export type ParsedBatchProcessorOptions = Readonly<
  Omit<z.output<typeof schema>, 'initialSize' | 'maxWaitMs'> & { initialSize: number; maxWaitMs: number }
>;

/** @throws {InvalidBatchProcessorOptionsError} with every problem */
export function parseBatchProcessorOptions(input: BatchProcessorOptions): ParsedBatchProcessorOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new InvalidBatchProcessorOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
  }
  const { minSize, targetMs, initialSize = minSize, maxWaitMs = targetMs } = parsed.data;
  return { ...parsed.data, initialSize, maxWaitMs };
}
