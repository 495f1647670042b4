import { z } from 'zod';

const milliseconds = z.number().int().positive().max(2_147_483_647);

/** Of {@link SlowQueries}. */
export const slowQueriesSchema = z.strictObject({
  enabled: z.boolean().default(true),
  /** A run that takes as long is slow. Milliseconds. */
  thresholdMs: z.number().nonnegative().default(100),
  /** Other thresholds, by fingerprint or by the tag of `withQueryTag`. Milliseconds. */
  thresholds: z.record(z.string(), z.number().nonnegative()).default({}),
  /** Groups of statements that are watched; the ones that took the least time go first. */
  maxStatements: z.number().int().min(10).max(900).default(500),
  sample: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** May reads run once more, with EXPLAIN (ANALYZE)? */
      analyse: z.boolean().default(true),
      /** For one EXPLAIN. */
      timeoutMs: milliseconds.default(5_000),
      perMinute: z.number().positive().default(10),
      burst: z.number().int().positive().default(5),
      /** Between two samples of one statement. */
      intervalMs: z.number().int().nonnegative().default(60_000),
    })
    .prefault({}),
  /** Statements of all programs, by pg_stat_statements, where it exists. */
  serverStatistics: z.boolean().default(true),
  /** How often figures are written to the history, and pg_stat_statements is read (every sixth time). Milliseconds. */
  refreshMs: milliseconds.default(10_000),
  history: z
    .strictObject({
      /** Creates the tables at the start, where they are missing; else they are used where a migration has made them. */
      install: z.boolean().default(false),
      schema: z.string().min(1).max(63).default('public'),
      retentionDays: z.number().int().positive().max(3_650).default(14),
    })
    .prefault({}),
});

export type SlowQueriesOptions = Readonly<z.output<typeof slowQueriesSchema>>;
