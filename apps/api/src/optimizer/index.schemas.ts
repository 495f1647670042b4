import { z } from 'zod';
import { pageQuery } from '../app/paging.js';

const count = z.number().min(0);
const bytes = z.number().min(0);
const time = z.iso.datetime();

const KINDS = ['duplicate', 'overlapping', 'unused', 'invalid', 'bloated', 'missing foreign key'] as const;

const indexSchema = z
  .object({
    schema: z.string(),
    table: z.string(),
    index: z.string(),
    method: z.string(),
    columns: z.array(z.string()),
    isUnique: z.boolean(),
    isValid: z.boolean().describe('false: what a failed build left'),
    sizeBytes: bytes,
    scans: count.describe('How often it was used since statisticsSince, by every server that could be asked'),
  })
  .meta({ id: 'Index' });

const findingSchema = z
  .object({
    kind: z.enum(KINDS),
    schema: z.string(),
    table: z.string(),
    index: z.string().nullable().describe('null for one that is missing'),
    columns: z.array(z.string()),
    reason: z.string(),
    caution: z.string().nullable().describe('What to look at before it is mended'),
    sizeBytes: bytes.describe('What mending frees; of a missing index: what it will take'),
    sizeSource: z.enum(['measured', 'estimated']),
    writeCost: z.object({
      entries: count.describe('Entries that were written to it since the statistics began'),
      hotShare: z.number().nullable().describe("Share of the table's updates that touched no index"),
      blocksHot: z.boolean().nullable(),
    }),
    coveredBy: z.string().nullable().describe('The index that does its work'),
    scans: count,
    statement: z.string().describe('Mends it; to be run outside of a transaction'),
  })
  .meta({
    id: 'IndexFinding',
    example: {
      kind: 'overlapping',
      schema: 'public',
      table: 'files',
      index: 'files_owner_idx',
      columns: ['owner'],
      reason: 'files_owner_size_idx begins with the same columns and does its work',
      caution: null,
      sizeBytes: 1_310_720,
      sizeSource: 'measured',
      writeCost: { entries: 60_000, hotShare: 0.9, blocksHot: false },
      coveredBy: 'files_owner_size_idx',
      scans: 12,
      statement: 'DROP INDEX CONCURRENTLY "public"."files_owner_idx"',
    },
  });

export const indexesSchema = z
  .object({
    analysedAt: time,
    statisticsSince: time.nullable().describe('From when uses are counted; null: the server does not tell'),
    servers: count.describe('Servers whose use of the indexes counts'),
    total: count,
    sizeBytes: bytes.describe('Of all indexes together'),
    items: z.array(indexSchema).describe('The largest first'),
    nextCursor: z.string().nullable().describe('Of the page after this one; null on the last'),
    findings: z.array(findingSchema).describe('What is to be mended, the largest first within each kind'),
    degraded: z
      .array(z.object({ part: z.string(), reason: z.string() }))
      .describe('What could not be looked at, and why'),
  })
  .meta({ id: 'Indexes' });

export const indexesQuery = pageQuery(50, 500).extend({
  kind: z.enum(KINDS).optional().describe('Only findings of this kind'),
});
export type IndexesQuery = z.output<typeof indexesQuery>;
