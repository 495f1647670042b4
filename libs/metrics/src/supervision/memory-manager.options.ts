import { z } from 'zod';
import { MetricsOptionsError } from '../metrics.errors.js';

const ratio = z.number().gt(0).lt(1);
const milliseconds = z.number().int().positive();

const schema = z
  .strictObject({
    /** From this share of a limit on consumers keep half, 0 to 1. */
    trimRatio: ratio.default(0.85),
    /** From this share on they keep nothing, and new work is refused, 0 to 1. */
    shedRatio: ratio.default(0.9),
    /** A level ends that far below where it begins. */
    recoverGap: ratio.default(0.1),
    /** A level lasts at least so long before it falls, milliseconds. */
    minDwellMs: milliseconds.default(10_000),
    /** Shedding ends when memory, with everything given back, has not reached a new peak for so long, milliseconds. */
    plateauMs: milliseconds.default(60_000),
    /** Time between two looks at the memory, milliseconds. */
    intervalMs: milliseconds.default(250),
    /** Budgets grow back by a tenth in each such time, milliseconds. */
    growEveryMs: milliseconds.default(10_000),
    /**
     * Under pressure garbage is collected no more often than this, V8's own collections counted, milliseconds; and never
     * for more than a twentieth of the time.
     */
    collectEveryMs: milliseconds.default(10_000),
    /** What the process may use, bytes. @default that of the control group, or the machine's memory */
    limitBytes: z.number().int().positive().optional(),
    /** What of the heap can be in use, bytes. @default `heapLimitBytes()` */
    heapLimitBytes: z.number().int().positive().optional(),
    /** What a refused caller is told to wait, seconds. */
    retryAfterSeconds: z.number().int().positive().default(10),
  })
  .refine(({ trimRatio, shedRatio }) => trimRatio < shedRatio, {
    path: ['shedRatio'],
    message: 'must be above trimRatio',
  })
  .refine(({ trimRatio, recoverGap }) => recoverGap < trimRatio, {
    path: ['recoverGap'],
    message: 'must be below trimRatio',
  });

/** What `MemoryManager` takes. */
export type MemoryManagerOptionsInput = z.input<typeof schema>;

/** The options with every default filled in, frozen. */
export type MemoryManagerOptions = Readonly<z.output<typeof schema>>;

/** @throws {MetricsOptionsError} with every problem at once */
export function parseMemoryManagerOptions(input: MemoryManagerOptionsInput = {}): MemoryManagerOptions {
  const result = schema.safeParse(input);
  if (result.success) return Object.freeze(result.data);
  const issues = result.error.issues.map((it) => `${it.path.join('.') || 'options'}: ${it.message}`);
  throw new MetricsOptionsError(issues, { cause: result.error });
}
