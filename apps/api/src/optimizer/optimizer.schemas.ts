import { z } from 'zod';
import { pageQuery } from '../app/paging.js';

const share = z.number().min(0).max(1);
const count = z.int().min(0);
const ms = z.number().min(0);

const percentiles = { meanMs: ms, p50Ms: ms, p95Ms: ms, p99Ms: ms };

export const queryFiguresSchema = z
  .object({
    fingerprint: z
      .string()
      .describe('The same for statements that differ in constants, comments and layout only'),
    sql: z.string().describe('Without constants'),
    kind: z.string(),
    calls: count.describe('Statements that reached PostgreSQL; answers from the cache are none'),
    errors: count,
    rows: count,
    totalMs: ms,
    ...percentiles,
    maxMs: ms,
  })
  .meta({ id: 'QueryFigures' });

const byPriority = z.object({ high: count, normal: count, low: count });

/** The answer of `report`; figures of this process since its start. */
export const optimizerReportSchema = z
  .object({
    cache: z.object({
      percent: z.number().describe('Share of the kinds of queries that may be answered from the cache'),
      hits: count,
      misses: count,
      hitRate: share.describe('hits / (hits + misses); 0 before the first'),
      bypassed: z.record(z.string(), count).describe('Statements that were not looked up, by reason'),
      tooLarge: count.describe('Results that were handed out and not kept'),
      entries: count.nullable().describe('Results in the memory of this process'),
    }),
    queries: z.object({ count, errors: count, ...percentiles }),
    topQueries: z.array(queryFiguresSchema).describe('Those with the most time in all, first'),
    slowQueries: z
      .array(queryFiguresSchema)
      .describe('Those that are slow for one caller in 20, the slowest first'),
    indexRecommendations: z
      .array(z.looseObject({}))
      .describe('Indexes that would help, as this process saw them last; /optimizer/recommendations has all'),
    pool: z.looseObject({
      size: count,
      idle: count,
      inUse: count,
      capacity: count.describe('What the pool may grow to now'),
      waiting: byPriority,
      acquired: byPriority,
      timeouts: count,
      refused: count,
      leaks: count,
      efficiency: share.describe('Share of callers that had a connection within 10 ms'),
    }),
    replicas: z
      .object({
        replicas: z.array(
          z.object({
            name: z.string().describe('Host and port'),
            state: z
              .enum(['up', 'behind', 'down'])
              .describe('behind: slow, or by more than DATABASE_REPLICA_MAX_LAG_MS; down: not to be reached'),
            lagMs: ms.nullable().describe('It has what was committed this long ago; null: not known yet'),
            reads: count,
            failures: count.describe('Reads that it could not answer, and the primary did'),
          }),
        ),
        bypassed: z
          .record(z.string(), count)
          .describe('Reads that went to the primary though a replica might have answered, by reason'),
      })
      .nullable()
      .describe('null: there are none (DATABASE_REPLICA_URLS)'),
    queryLoops: z
      .object({
        watched: count.describe('Requests and tasks that were watched'),
        found: count,
        latest: z.array(
          z.object({
            scope: z.string().describe('The request or the task'),
            sql: z.string(),
            where: z.string().describe('The line that runs it'),
            count,
            durationMs: ms,
            rewrite: z.string().nullable().describe('One statement for all of them'),
          }),
        ),
      })
      .describe('Queries in a loop (N+1)'),
  })
  .meta({ id: 'OptimizerReport' });

export type OptimizerReportAnswer = z.output<typeof optimizerReportSchema>;

const SORTS = ['totalMs', 'calls', 'meanMs', 'p50Ms', 'p95Ms', 'p99Ms', 'maxMs', 'rows', 'errors'] as const;
export type QuerySort = (typeof SORTS)[number];

export const queriesQuery = pageQuery(20, 100).extend({
  sort: z.enum(SORTS).default('totalMs').describe('The highest first'),
});
export type QueriesQuery = z.output<typeof queriesQuery>;

export const queriesPageSchema = z
  .object({
    items: z.array(queryFiguresSchema),
    nextCursor: z.string().nullable().describe('Of the page after this one; null on the last'),
  })
  .meta({ id: 'QueriesPage' });

const percent = z.number().min(0).max(100).multipleOf(0.01);

/** A rollout that stands before the one of the environment. */
export const queryRolloutSchema = z
  .strictObject({ percent: percent.describe('Share of the kinds of queries that are cached, 0 to 100') })
  .meta({ id: 'QueryRollout' });
export type QueryRollout = z.output<typeof queryRolloutSchema>;

export const queryRolloutStateSchema = z
  .object({
    inForce: percent.describe('What this process does; the others follow within seconds'),
    configured: percent.describe('QUERY_CACHE_ENABLED'),
    override: percent.nullable().describe('What was put; null: nothing'),
  })
  .meta({ id: 'QueryRolloutState' });
export type QueryRolloutState = z.output<typeof queryRolloutStateSchema>;
