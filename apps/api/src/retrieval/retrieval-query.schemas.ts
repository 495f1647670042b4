import {
  MAX_RETRIEVAL_HITS,
  MAX_RETRIEVAL_SEEDS,
  MAX_RETRIEVAL_TEXT_LENGTH,
  RETRIEVAL_MODES,
  RETRIEVAL_PLANS,
} from '@peregrine/retrieval';
import { z } from 'zod';
import { identifier } from '../app/identifier.js';
import { pageQuery } from '../app/paging.js';

const MAX_DIMENSIONS = 16_384;
const MAX_BUDGET_MS = 600_000;

const workspaceId = identifier.optional().describe('The workspace, when no header X-Workspace-Id names it');
const storable = (text: z.ZodString) =>
  text.refine((it) => !it.includes('\0'), 'must not hold a NUL character');
const time = z.iso.datetime({ offset: true }).transform((it) => new Date(it));
const few = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(1_000);

/** Fields that there are not are named by the library, which knows those that there are. */
const filter = z
  .looseObject({
    types: few(storable(z.string().min(1).max(200)))
      .optional()
      .describe('One of these types'),
    documentIds: few(identifier).optional().describe('Of one of these files'),
    createdFrom: time.optional().describe('Created then or later'),
    createdBefore: time.optional().describe('Created before then'),
  })
  .describe('Only passages that fit all of it');

/** JSON has no NaN: it is written as null. */
const component = z
  .number()
  .nullable()
  .transform((it) => it ?? Number.NaN);

const question = {
  workspaceId,
  text: storable(z.string().trim().min(1).max(MAX_RETRIEVAL_TEXT_LENGTH))
    .optional()
    .describe('Words to look for; embedded, too, when there is no vector'),
  vector: z
    .array(component)
    .max(MAX_DIMENSIONS)
    .optional()
    .describe("Of the embedding model's dimensions, not zero; with or without a text"),
  filter: filter.optional(),
  seeds: z
    .array(identifier)
    .max(MAX_RETRIEVAL_SEEDS)
    .optional()
    .describe('Passages that the walk of the graph begins at; needed by boost and within'),
  mode: z
    .enum(RETRIEVAL_MODES)
    .optional()
    .describe('boost: what is linked with the seeds gains; within: only that answers. plain by default'),
  limit: z.int().min(1).max(MAX_RETRIEVAL_HITS).default(10),
  recallFloor: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Share of the exact answer by vector to be expected; 1 compares everything. 0.95 by default'),
  budgetMs: z
    .int()
    .min(1)
    .max(MAX_BUDGET_MS)
    .optional()
    .describe('After so many milliseconds nothing more is fetched. RETRIEVAL_BUDGET_MS by default'),
  plan: z.enum(RETRIEVAL_PLANS).optional().describe('Instead of the one that would be chosen'),
};

const example = {
  workspaceId: '0199f1c0-0000-7000-8000-000000000001',
  ...{ text: 'How is staging restored?', limit: 5, recallFloor: 0.95 },
};

export const questionSchema = z.strictObject(question).meta({ id: 'RetrievalQuestion', example });
export type Question = z.output<typeof questionSchema>;

export const querySchema = z
  .strictObject({
    ...question,
    explain: z.boolean().default(false).describe('Whether the answer says how it came about'),
  })
  .meta({ id: 'RetrievalQuery', example: { ...example, filter: { types: ['text/markdown'] } } });
export type Query = z.output<typeof querySchema>;

export const chunksQuery = pageQuery(100, 500).extend({ workspaceId });
