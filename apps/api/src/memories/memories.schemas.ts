import { MAX_MEMORY_HITS, MAX_MEMORY_QUERY_LENGTH, MEMORY_TIERS } from '@peregrine/memories';
import { z } from 'zod';
import { identifier } from '../app/identifier.js';
import { pageQuery } from '../app/paging.js';

const WORKSPACE = '0199f1c0-0000-7000-8000-000000000001';
const MEMORY = '0199f1c0-0000-7000-8000-00000000000a';
const OTHER = '0199f1c0-0000-7000-8000-00000000000b';
const CREATED = '2026-03-01T09:30:00.000Z';

const workspaceId = identifier.optional().describe('The workspace, when no header X-Workspace-Id names it');

/** The query of a route that names its workspace there or in a header. */
export const workspaceQuery = z.strictObject({ workspaceId });

const content = z
  .string()
  .min(1)
  .describe('Text; white space around it is dropped. At most MEMORIES_MAX_CONTENT_BYTES bytes (64 KiB)');

export const addSchema = z
  .strictObject({
    workspaceId,
    content: content.optional().describe('One memory'),
    contents: z.array(content).min(1).max(1_000).optional().describe('Several, all or none of them'),
  })
  .refine((it) => (it.content === undefined) !== (it.contents === undefined), {
    message: 'send either content or contents',
    path: ['content'],
  })
  .meta({
    id: 'AddMemories',
    example: { workspaceId: WORKSPACE, content: 'The staging database is restored every Monday at 06:00.' },
  });
export type AddMemories = z.output<typeof addSchema>;

export const addedSchema = z
  .object({
    items: z
      .array(
        z.object({
          id: z.uuid(),
          status: z
            .enum(['created', 'existing'])
            .describe('existing: the workspace has this content already'),
        }),
      )
      .describe('In the order of the contents'),
  })
  .meta({ id: 'AddedMemories', example: { items: [{ id: MEMORY, status: 'created' }] } });

export const querySchema = z
  .strictObject({
    workspaceId,
    query: z
      .string({ error: 'expected what to look for' })
      .trim()
      .min(1)
      .max(MAX_MEMORY_QUERY_LENGTH)
      .describe('A question or some words'),
    limit: z.int().min(1).max(MAX_MEMORY_HITS).default(20),
  })
  .meta({
    id: 'QueryMemories',
    example: { workspaceId: WORKSPACE, query: 'When is the staging database restored?', limit: 5 },
  });
export type QueryMemories = z.output<typeof querySchema>;

const memoryFields = {
  id: z.uuid(),
  kind: z.enum(['original', 'summary']).describe('A summary stands for originals that say the same'),
  content: z.string(),
  tier: z.enum(MEMORY_TIERS).describe('Used lately; used again and again; kept'),
  createdAt: z.iso.datetime().describe('Of a summary, when its oldest source was added'),
};
const sources = z.array(z.uuid()).describe('The originals of a summary');

const share = z.number().describe('Of the best one of this answer, 0 to 1');
const explanationSchema = z
  .object({
    score: z.number().describe('relevance times boost'),
    relevance: z.number().describe('Words and vector together, before use has its say'),
    keyword: z.object({ score: z.number().describe('BM25'), share }).nullable(),
    vector: z.object({ cosine: z.number(), share }).nullable(),
    boost: z.number().describe('From use, recency and associations; bounded, 1 for none'),
    resonance: z.object({
      activation: z.number().describe("ACT-R's base level"),
      probability: z.number().describe('The chance that follows from it, 0 to 1'),
    }),
    recency: z.number().describe('1 for now, halved every 30 days'),
    association: z.number().describe('From the most relevant memories of this answer, 0 to 1'),
  })
  .meta({ id: 'MemoryExplanation' });

const memoryExample = {
  ...{ id: MEMORY, kind: 'original', content: 'The staging database is restored every Monday at 06:00.' },
  ...{ tier: 'active', createdAt: CREATED },
};
const explanationExample = {
  ...{ score: 1.4, relevance: 1.2, keyword: { score: 9.1, share: 1 }, vector: { cosine: 0.62, share: 0.67 } },
  ...{ boost: 1.17, resonance: { activation: -4.1, probability: 0.87 }, recency: 0.98, association: 0 },
};

export const answerSchema = z
  .object({
    hits: z
      .array(z.object({ ...memoryFields, sources, explanation: explanationSchema }))
      .describe('Best first'),
    usedVector: z
      .boolean()
      .describe('false: the embedding of the query was not there in time, and the answer is by words alone'),
  })
  .meta({
    id: 'MemoryAnswer',
    example: { hits: [{ ...memoryExample, sources: [], explanation: explanationExample }], usedVector: true },
  });

export const bootstrapQuery = pageQuery(50, 100).omit({ cursor: true }).extend({ workspaceId });

export const bootstrapSchema = z
  .object({
    items: z
      .array(z.object({ ...memoryFields, lastUsedAt: z.iso.datetime() }))
      .describe('By tier, the last used first; 40 % active, 30 % thread, 30 % stable where there are enough'),
  })
  .meta({ id: 'MemoryBootstrap', example: { items: [{ ...memoryExample, lastUsedAt: CREATED }] } });

export const memorySchema = z
  .object({
    ...memoryFields,
    sources,
    summarisedBy: z.uuid().nullable().describe('The summary that queries find in its place'),
    uses: z.int().describe('How often it counted as used: at most once an hour'),
    firstUsedAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
    recentUses: z.array(z.iso.datetime()),
    accesses: z.int().describe('Answers that it was in'),
    accessedAt: z.iso.datetime().nullable(),
    embedder: z.string().nullable().describe('What made its embedding; null while it waits for one'),
  })
  .meta({
    id: 'Memory',
    example: {
      ...{
        ...memoryExample,
        sources: [],
        summarisedBy: null,
        uses: 1,
        firstUsedAt: CREATED,
        lastUsedAt: CREATED,
      },
      ...{ recentUses: [CREATED], accesses: 0, accessedAt: null, embedder: 'local-hashing-384-v1' },
    },
  });

export const associationsQuery = pageQuery(20, 100).extend({ workspaceId });

export const associationSchema = z
  .object({
    memoryId: z.uuid(),
    content: z.string(),
    times: z.int().describe('Answers that held both'),
    strength: z
      .number()
      .describe('Normalised pointwise mutual information, -1 to 1: above 0 more than chance'),
    lastAt: z.iso.datetime(),
  })
  .meta({
    id: 'MemoryAssociation',
    example: {
      memoryId: OTHER,
      content: 'Backups are kept for 14 days.',
      times: 3,
      strength: 0.7,
      lastAt: CREATED,
    },
  });

export const undoneSchema = z
  .object({ sources: z.array(z.uuid()).describe('Found again, and never merged any more') })
  .meta({ id: 'UndoneConsolidation', example: { sources: [MEMORY, OTHER] } });

const sample = { sampled: z.int(), found: z.int() };

export const auditSchema = z
  .object({
    memories: z.int().describe('What queries can find'),
    summaries: z.int(),
    summarised: z.int().describe('Originals that a summary stands for'),
    waitingForEmbedding: z.int().describe('Found by their words alone until then'),
    neverReadShare: z.number().describe('Of those that were never in an answer, 0 to 1'),
    duplicates: z.object(sample).describe('Among the newest: the same words in the same order'),
    nearDuplicates: z
      .object({ ...sample, comparedWith: z.int() })
      .describe('Among the newest: a cosine of about 0.95 and more'),
    growth: z
      .array(z.object({ day: z.iso.date(), added: z.int() }))
      .describe('Of 30 days (UTC), the latest first'),
  })
  .meta({
    id: 'MemoryAudit',
    example: {
      ...{ memories: 1_200, summaries: 14, summarised: 31, waitingForEmbedding: 0, neverReadShare: 0.4 },
      ...{
        duplicates: { sampled: 1_200, found: 2 },
        nearDuplicates: { sampled: 300, comparedWith: 1_200, found: 3 },
      },
      growth: [{ day: '2026-03-01', added: 57 }],
    },
  });
