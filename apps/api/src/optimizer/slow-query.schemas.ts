import { z } from 'zod';
import { pageQuery } from '../app/paging.js';

const count = z.number().min(0);
const ms = z.number().min(0);
const time = z.iso.datetime();

const buffers = z
  .object({ hitBlocks: count, readBlocks: count, tempWrittenBlocks: count })
  .describe('Blocks of 8 KiB');

const planSchema = z
  .object({
    hash: z.string().describe('The same for plans that differ in costs and constants only'),
    outline: z.string().describe('Nodes, tables and indexes, one a line; no constants'),
    isGeneric: z.boolean().describe('Of no particular parameters'),
    firstSeenAt: time,
    lastSeenAt: time,
    samples: count,
    totalCost: z.number().describe("PostgreSQL's estimate, in its own unit"),
    nodeCosts: z
      .array(z.number().min(0))
      .nullable()
      .describe('What each line of the outline costs by itself; null: it was not kept'),
    meanMs: ms.nullable().describe('null: only estimates are known'),
    buffers: buffers.nullable(),
  })
  .meta({
    id: 'QueryPlan',
    example: {
      hash: '3f1c9a5de0b24c77',
      outline: 'Limit\n  Index Scan using files_pkey on files',
      isGeneric: false,
      firstSeenAt: '2026-11-20T08:00:00.000Z',
      lastSeenAt: '2026-11-21T09:30:00.000Z',
      samples: 12,
      totalCost: 8.44,
      nodeCosts: [0.13, 8.31],
      meanMs: 0.21,
      buffers: { hitBlocks: 4, readBlocks: 0, tempWrittenBlocks: 0 },
    },
  });

const slowQueryShape = {
  fingerprint: z.string().describe('The same for statements that differ in constants, comments and layout'),
  sql: z.string().describe('With $n in the place of constants'),
  kind: z.string(),
  tags: z.array(z.string()),
  thresholdMs: ms.describe('From there a run is slow'),
  source: z.enum(['application', 'server']).describe('server: known from pg_stat_statements only'),
  calls: count,
  slowCalls: count,
  errors: count,
  rows: count,
  totalMs: ms,
  meanMs: ms,
  p50Ms: ms.nullable(),
  p95Ms: ms.nullable(),
  p99Ms: ms.nullable(),
  maxMs: ms,
  lastSlowAt: time.nullable(),
  buffers: buffers.extend({ source: z.enum(['sample', 'server']) }).nullable(),
  planProblem: z.string().nullable().describe('Why there is no plan, or only an estimate'),
};

export const slowQuerySchema = z
  .object({
    ...slowQueryShape,
    plan: planSchema.nullable().describe('The latest'),
    plans: count.describe('How many it has had'),
    hasRegressed: z.boolean().describe('It got another plan, and is slower with it'),
  })
  .meta({ id: 'SlowQuery' });

export const slowQueriesPageSchema = z
  .object({
    thresholdMs: ms.describe('From there a run is slow, unless its statement or tag has another one'),
    serverSince: time.nullable().describe('From when pg_stat_statements counts; null: not known'),
    items: z.array(slowQuerySchema),
    nextCursor: z.string().nullable().describe('Of the page after this one; null on the last'),
    degraded: z
      .array(z.object({ part: z.string(), reason: z.string() }))
      .describe('What could not be looked at, and what to do about it'),
  })
  .meta({ id: 'SlowQueriesPage' });

const figures = z.object({
  calls: count,
  rows: count,
  totalMs: ms,
  meanMs: ms,
  maxMs: ms,
  hitBlocks: count,
  readBlocks: count,
  tempWrittenBlocks: count,
});

export const slowQueryDetailSchema = z
  .object({
    ...slowQueryShape,
    plans: z.array(planSchema).describe('All that it has had, the latest last'),
    regression: z
      .object({
        since: time,
        before: planSchema,
        after: planSchema,
        factor: z.number().describe('How many times as long it takes'),
        evidence: z.enum(['same parameters', 'run times']),
      })
      .nullable(),
    server: figures.nullable().describe('All programs together, by pg_stat_statements'),
    hours: z
      .array(
        z.object({
          hour: time,
          calls: count,
          slowCalls: count,
          errors: count,
          rows: count,
          totalMs: ms,
          meanMs: ms,
          maxMs: ms,
        }),
      )
      .describe('Its history, of all processes, the latest hour first'),
  })
  .meta({ id: 'SlowQueryDetail' });

const SORTS = [
  'totalMs',
  'calls',
  'slowCalls',
  'meanMs',
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'maxMs',
  'rows',
] as const;

export const slowQueriesQuery = pageQuery(20, 100).extend({
  sort: z.enum(SORTS).default('totalMs').describe('The highest first; what is not known comes last'),
});
export type SlowQueriesQuery = z.output<typeof slowQueriesQuery>;

export const fingerprintParameter = z
  .string()
  .max(64)
  .regex(/^[\w-]+$/, 'expected a fingerprint as the list has it');
