import { z } from 'zod';
import { pageQuery } from '../app/paging.js';

const count = z.number().min(0);
const bytes = z.number().min(0);
const cost = z.number().min(0);
const time = z.iso.datetime();

const STATES = ['open', 'applied', 'kept', 'dropped', 'reverted', 'failed', 'obsolete'] as const;

const table = z.object({ schema: z.string(), name: z.string() });

export const recommendationSchema = z
  .object({
    id: z.string().describe('The same for the same index on the same table'),
    state: z
      .enum(STATES)
      .describe(
        'open: it would help and is not there; applied: it is being built; kept, dropped: built, and by what was measured it ' +
          'stayed or not; reverted: dropped later; failed: it could not be built; obsolete: nobody asks for it any more',
      ),
    table,
    indexName: z.string(),
    method: z.enum(['btree', 'brin', 'gin', 'hash']),
    keys: z.array(z.string()).describe('Columns or expressions in their order, as SQL'),
    included: z.array(z.string()),
    predicate: z.string().nullable().describe('Of a partial index'),
    statement: z.string().describe('What is run'),
    reasons: z.array(z.string()).describe('What it is for, and what the figures rest on'),
    improvement: z.object({
      before: cost.describe('Planner cost of all calls that it serves, as things are'),
      after: cost.describe('With everything that is recommended'),
      source: z.enum(['hypopg', 'sample-clone', 'built']).describe('What the estimate rests on'),
      savedMs: z.number().describe('Of the whole workload, estimated; 0: no time is known'),
    }),
    sizeBytes: bytes.describe('Estimated; once it is built, measured'),
    buildMsEstimate: count,
    writeCost: z.object({
      entries: count,
      walBytesPerEntry: count,
      lostHotUpdates: count,
      cost: z.number(),
    }),
    decision: z.string().nullable().describe('What was decided last, and why'),
    decidedAt: time.nullable(),
    revertProposal: z.string().nullable().describe('Why a kept index should go: it is not used'),
    usedAt: time.nullable(),
    firstSeenAt: time,
    lastSeenAt: time.describe('When a round recommended it last'),
  })
  .meta({
    id: 'IndexRecommendation',
    example: {
      id: '9d1b7a40c2ef',
      state: 'open',
      table: { schema: 'public', name: 'files' },
      indexName: 'files_owner_id_idx',
      method: 'btree',
      keys: ['owner_id'],
      included: [],
      predicate: null,
      statement:
        'CREATE INDEX CONCURRENTLY "files_owner_id_idx" ON "public"."files" USING btree ("owner_id")',
      reasons: ['It serves 1 statement; the cost of a1b2c3 falls from 2,041 to 9.'],
      improvement: { before: 2_041_000, after: 9_000, source: 'sample-clone', savedMs: 5_200 },
      sizeBytes: 1_130_496,
      buildMsEstimate: 180,
      writeCost: { entries: 0, walBytesPerEntry: 88, lostHotUpdates: 0, cost: 0 },
      decision: null,
      decidedAt: null,
      revertProposal: null,
      usedAt: null,
      firstSeenAt: '2026-11-21T09:00:00.000Z',
      lastSeenAt: '2026-11-21T10:00:00.000Z',
    },
  });

const rejectedSchema = z
  .object({
    candidate: z.string().describe('The index as SQL, without its constants'),
    table,
    code: z.string().describe('For programs: covered, no-gain, small-gain, dominated, write-cost, budget, …'),
    reason: z.string(),
  })
  .meta({
    id: 'RejectedIndex',
    example: {
      candidate: 'CREATE INDEX ON public.files USING btree (workspace_id)',
      table: { schema: 'public', name: 'files' },
      code: 'covered',
      reason: 'files_workspace_id_path_key begins with the same column and does its work.',
    },
  });

export const recommendationsPageSchema = z
  .object({
    mode: z.enum(['off', 'recommend', 'apply']).describe('What rounds do in this process'),
    items: z.array(recommendationSchema),
    nextCursor: z.string().nullable().describe('Of the page after this one; null on the last'),
    lastRound: z
      .object({
        startedAt: time,
        endedAt: time.nullable(),
        outcome: z.string(),
        statements: count.describe('Statements that counted'),
        sources: z.array(z.string()),
        problems: z.array(z.object({ part: z.string(), reason: z.string() })),
        statisticsAdvice: z
          .array(z.object({ table, columns: z.array(z.string()), statement: z.string(), reason: z.string() }))
          .describe('Where statistics are the answer, and no index'),
      })
      .nullable()
      .describe('null before the first'),
    rejected: z.array(rejectedSchema).describe('What the last round looked at and does not recommend'),
  })
  .meta({ id: 'IndexRecommendations' });

export const recommendationDetailSchema = recommendationSchema
  .extend({
    serves: z
      .array(
        z.object({
          fingerprint: z.string(),
          sql: z.string().describe('With $n in the place of constants'),
          calls: count,
          totalMs: count,
          before: cost,
          after: cost,
        }),
      )
      .describe('Statements that it is for, as the workload counted them'),
    trial: z
      .object({
        ledgerId: z.string(),
        status: z.string(),
        decision: z.string().nullable(),
        actor: z.string().describe('Who asked for it'),
        sizeBytes: bytes.nullable(),
        buildMs: count.nullable(),
        startedAt: time,
        endedAt: time.nullable(),
        measurements: z.array(
          z.object({
            statement: z.string().describe('Fingerprint'),
            calls: count,
            beforeMs: count.nullable(),
            afterMs: count.nullable(),
            problem: z.string().optional().describe('Why it was not measured'),
          }),
        ),
      })
      .nullable()
      .describe('Of the latest build; null: it was never built'),
  })
  .meta({ id: 'IndexRecommendationDetail' });

export const recommendationsQuery = pageQuery(50, 200).extend({
  state: z.enum(STATES).optional().describe('Only those in this state'),
});
export type RecommendationsQuery = z.output<typeof recommendationsQuery>;

export const recommendationParameter = z
  .string()
  .regex(/^[\w-]{1,64}$/, 'expected the id of a recommendation as the list has it');
