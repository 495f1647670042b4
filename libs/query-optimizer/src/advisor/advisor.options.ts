import { z } from 'zod';

import { InvalidQueryOptimizerOptionsError } from '../query-optimizer.errors.js';

/** A connection, as pg's `PoolClient`. */
export interface AdvisorClient {
  query(
    query: string | { readonly text: string; readonly queryMode: 'extended' },
    values?: readonly unknown[],
  ): Promise<{ readonly rows: readonly unknown[] }>;
  /** `true` closes the connection instead of keeping it. */
  release(destroy?: boolean): void;
}

/** Where the advisor's connection comes from, as pg's `Pool`. */
export interface AdvisorSource {
  connect(): Promise<AdvisorClient>;
}

const count = z.number().int().nonnegative();

const schema = z.strictObject({
  /** The database that is advised. Everything happens in transactions that are rolled back. */
  source: z.custom<AdvisorSource>((it) => typeof it === 'object' && it !== null && 'connect' in it, {
    message: 'must have connect(), as a pg Pool',
  }),
  /** Of all recommended indexes together. @default no limit */
  budgetBytes: z.number().int().positive().default(Number.MAX_SAFE_INTEGER),
  /** Weighs the cost of writes against the gain of reads: 0 ignores it, 2 doubles it. @default 1 */
  writeCost: z.number().nonnegative().default(1),
  /** An index must make at least one statement cheaper by this part of its cost. @default 0.1 */
  minImprovement: z.number().min(0).max(1).default(0.1),
  /** A statement may become dearer by this part before the index that does it is dropped. @default 0.3 */
  maxRegression: z.number().nonnegative().default(0.3),
  /** `auto` takes HypoPG where it is there or can be created, else the clone. @default 'auto' */
  validation: z.enum(['auto', 'hypopg', 'sample-clone']).default('auto'),
  /** Larger tables are sampled down to this for the clone, bytes. @default 8 MiB */
  cloneBytes: z
    .number()
    .int()
    .positive()
    .default(8 * 1024 * 1024),
  /** After this long the advisor stops to look for more and answers with what it has. @default 30 s */
  timeLimitMs: z.number().int().positive().default(30_000),
  /** Of a single statement of the advisor's own. @default 10 s */
  statementTimeoutMs: z.number().int().positive().default(10_000),
  /** How many of the heaviest statements are looked at. @default 500 */
  maxStatements: count.default(500),
});

export type AdvisorOptionsInput = z.input<typeof schema>;
export type AdvisorOptions = Readonly<z.output<typeof schema>>;

/** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
export function parseAdvisorOptions(input: AdvisorOptionsInput): AdvisorOptions {
  const parsed = schema.safeParse(input);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new InvalidQueryOptimizerOptionsError(
    parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`),
  );
}
