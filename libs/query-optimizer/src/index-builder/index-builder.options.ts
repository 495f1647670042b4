import { z } from 'zod';

import { type AdvisorSource } from '../advisor/advisor.options.js';
import { InvalidQueryOptimizerOptionsError } from '../query-optimizer.errors.js';

const milliseconds = z.number().int().positive().max(2_147_483_647);

export const indexTrialShape = {
  /** Where connections come from, as a pg Pool: one to build on, one beside it for progress and to cancel. */
  source: z.custom<AdvisorSource>((it) => typeof it === 'object' && it !== null && 'connect' in it, {
    message: 'must have connect(), as a pg Pool',
  }),
  /** Of the ledger's table. @default 'public' */
  schema: z.string().min(1).default('public'),
  /** Who asks for it: it stands in the ledger. */
  actor: z.string().min(1).max(200).default('peregrine'),
  /** A table that others have locked is waited for this long at each attempt. @default 10 s */
  lockTimeoutMs: milliseconds.default(10_000),
  /** @default 3 */
  attempts: z.number().int().min(1).max(20).default(3),
  /** Before the second attempt; doubled before each one after it. @default 2 s */
  retryMs: milliseconds.default(2_000),
  /** @default 500 ms */
  progressEveryMs: milliseconds.default(500),
  /** Of each statement that is measured. @default 30 s */
  statementTimeoutMs: milliseconds.default(30_000),
  /** Runs of each statement; the best one counts. @default 3 */
  rounds: z.number().int().min(1).max(100).default(3),
  /** An index stays only when the measured statements together take less time by this part. @default 0.05 */
  minGain: z.number().min(0).max(1).default(0.05),
  /** A statement that takes longer by this part is weighed against what others gain, and named. @default 0.3 */
  maxRegression: z.number().nonnegative().default(0.3),
  /**
   * An index goes when a statement takes longer by this part, whatever others gain: at 2 it may take three times as long. The same
   * as `maxRegression` tolerates nothing. @default 2
   */
  toleratedRegression: z.number().nonnegative().default(2),
  /** Whether an index goes when none of its statements could be measured. @default false */
  requireMeasurement: z.boolean().default(false),
};

const schema = z.strictObject(indexTrialShape);

export type IndexTrialOptionsInput = z.input<typeof schema>;
export type IndexTrialOptions = Readonly<z.output<typeof schema>>;

/** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
export function parseIndexTrialOptions(input: IndexTrialOptionsInput): IndexTrialOptions {
  return parseWith(schema, input);
}

/** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
export function parseWith<S extends z.ZodType>(shape: S, input: unknown): Readonly<z.output<S>> {
  const parsed = shape.safeParse(input);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new InvalidQueryOptimizerOptionsError(
    parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`),
  );
}
