import { z } from 'zod';

import { indexTrialShape, parseWith } from '../index-builder/index-builder.options.js';
import { type CapturedStatement } from '../slow-queries/slow-query.js';
import { buildHoursSchema, timeZoneSchema } from './build-hours.js';

const milliseconds = z.number().int().positive().max(2_147_483_647);
const days = z.number().int().positive().max(3_650);
const count = z.number().int().nonnegative().max(1_000_000);

/** What of it an application says; where connections come from is the optimizer's. */
export const adaptiveIndexingShape = {
  /** `recommend` writes down what would help, `apply` builds it as well. @default 'off' */
  mode: z.enum(['off', 'recommend', 'apply']).default('off'),
  /** Only tables of these are looked after; none: of all. */
  schemas: z.array(z.string().min(1)).default([]),
  /** Builds within any 24 hours, whatever came of them, by whoever. @default 3 */
  indexesPerDay: count.default(3),
  /** Room of all indexes that were built within any 24 hours and stayed, bytes. @default 1 GiB */
  bytesPerDay: z.number().int().nonnegative().default(1_073_741_824),
  /**
   * When a round may begin to build: `22:00-04:30`, several of them, across midnight; none: at any time. A build that is under
   * way at the end goes on.
   */
  buildHours: buildHoursSchema.default([]),
  /** Of {@link buildHours}, an IANA name. @default 'UTC' */
  timeZone: timeZoneSchema.default('UTC'),
  /** A statement counts as evidence for an index from here. */
  evidence: z
    .strictObject({
      /** @default 20 */
      minCalls: count.default(20),
      /** Of all its calls together. @default 1 s */
      minTotalMs: z.number().nonnegative().default(1_000),
      /** How much of the history of slow queries counts. @default 7 */
      days: days.default(7),
    })
    .prefault({}),
  /** What was measured and dropped, or reverted, is not tried again for so long, unless its workload changed. @default 14 */
  retryAfterDays: days.default(14),
  /** What could not be built is tried again after this. @default 1 h */
  retryFailedMs: milliseconds.default(3_600_000),
  /** An index that was kept and not used for so long is proposed to be reverted; with `apply` it is. @default 30 */
  unusedAfterDays: days.default(30),
  /** Whether unused indexes are reverted by rounds with `apply`, else only proposed. @default true */
  revertUnused: z.boolean().default(true),
  /** Connection strings of replicas whose use of an index counts as well. */
  replicas: z.array(z.string().min(1)).default([]),
  /** Of the tables of recommendations, rounds and of the ledger. @default 'public' */
  schema: indexTrialShape.schema,
  /** Of the advice of a round. @default 30 s */
  adviceTimeLimitMs: milliseconds.default(30_000),
  lockTimeoutMs: indexTrialShape.lockTimeoutMs,
  attempts: indexTrialShape.attempts,
  retryMs: indexTrialShape.retryMs,
  progressEveryMs: indexTrialShape.progressEveryMs,
  statementTimeoutMs: indexTrialShape.statementTimeoutMs,
  minGain: indexTrialShape.minGain,
  maxRegression: indexTrialShape.maxRegression,
  toleratedRegression: indexTrialShape.toleratedRegression,
  /** How long rounds and what is no longer recommended are remembered. @default 90 */
  retentionDays: days.default(90),
};

/** Of the option `adaptiveIndexing` of the optimizer. */
export const adaptiveIndexingSchema = z.strictObject(adaptiveIndexingShape);

const schema = z.strictObject({
  ...adaptiveIndexingShape,
  /** The database, by connections that nothing else uses meanwhile: as a pg Pool, of at least three. */
  source: indexTrialShape.source,
  /** Statements that this process has captured, with values of a call; the database is asked for all others. */
  captured: z
    .custom<() => readonly CapturedStatement[]>((it) => typeof it === 'function', 'must be a function')
    .default(() => () => []),
  /** Who stands in the ledger for what rounds do. @default 'adaptive indexing' */
  actor: z.string().min(1).max(200).default('adaptive indexing'),
  /** The time by which `buildHours` are told, milliseconds since 1970. @default Date.now */
  now: z
    .custom<() => number>((it) => typeof it === 'function', 'must be a function')
    .default(() => () => Date.now()),
});

export type AdaptiveMode = 'off' | 'recommend' | 'apply';
export type AdaptiveIndexingOptionsInput = z.input<typeof schema>;
export type AdaptiveIndexingOptions = Readonly<z.output<typeof schema>>;

/** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
export function parseAdaptiveIndexingOptions(input: AdaptiveIndexingOptionsInput): AdaptiveIndexingOptions {
  return parseWith(schema, input);
}
