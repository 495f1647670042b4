import { z } from 'zod';
import { MetricsOptionsError } from '../metrics.errors.js';

const schema = z.strictObject({
  /** Where the files go; made when needed, for the owner of the process only. */
  folder: z.string().min(1),
  /** Files that are kept. */
  maxCount: z.number().int().positive().default(20),
  /** Bytes of all files together, and of each. */
  maxBytes: z.number().int().positive().default(536_870_912),
  /** From the end of one to the start of the next, milliseconds. */
  minIntervalMs: z.number().int().nonnegative().default(10_000),
  /** The same for those that the process takes by itself, milliseconds. */
  breachIntervalMs: z.number().int().nonnegative().default(600_000),
});

/** What `Profiler` takes. */
export type ProfilerOptionsInput = z.input<typeof schema>;

/** The options with every default filled in, frozen. */
export type ProfilerOptions = Readonly<z.output<typeof schema>>;

/** @throws {MetricsOptionsError} with every problem at once */
export function parseProfilerOptions(input: ProfilerOptionsInput): ProfilerOptions {
  const result = schema.safeParse(input);
  if (result.success) return Object.freeze(result.data);
  const issues = result.error.issues.map((it) => `${it.path.join('.') || 'options'}: ${it.message}`);
  throw new MetricsOptionsError(issues, { cause: result.error });
}
