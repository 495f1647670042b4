import { RETRIEVAL_PLANS } from '@peregrine/retrieval';
import { z } from 'zod';

const plan = z.enum(RETRIEVAL_PLANS);

const status = z
  .enum(['complete', 'certified', 'uncertified'])
  .describe(
    'complete: every passage that fits was compared. certified: the recall is as certain as recallFloor asks for. ' +
      'uncertified: the time was up before',
  );

/** What is known of an answer's recall. */
export const certificate = {
  status,
  z: z
    .number()
    .nullable()
    .describe(
      'Standard deviations that the code of a missed passage would have strayed by; null: not finite',
    ),
  wantedZ: z.number().nullable().describe('What z had to be; null: everything was to be compared'),
};

const decisionSchema = z.object({
  plan,
  reason: z.string(),
  predictedMs: z.record(z.string(), z.number()).describe('By plan, of those of which something is known'),
  cached: z.boolean().describe('It was remembered'),
  propensity: z.number().describe('How likely the plan was to be chosen'),
  modelVersion: z.int().describe('0: there is no model yet'),
  timeoutMs: z.int().optional().describe('When the plan would have been given up'),
});

const chooserSchema = z.object({
  features: z.record(z.string(), z.number().nullable()).describe('What is known of the question, by name'),
  shape: z.string(),
  buckets: z
    .array(z.number().nullable())
    .describe('What questions share a remembered plan by; null: nothing passes'),
  allowed: z.array(plan).describe('Plans that may be tried'),
  fallback: plan,
  decision: decisionSchema.nullable().describe('null: the planner was not asked'),
});

export const explanationSchema = z
  .object({
    plan: plan.describe('What was looked at first; the recall does not depend on it'),
    reason: z.string().describe('Why: a word for programs'),
    why: z.string().describe('The same in a sentence'),
    givenUp: plan.nullable().describe('Was tried before, and took too long'),
    chooser: chooserSchema.nullable().describe('null while nothing is known of the passages'),
    ...certificate,
    escalated: z.boolean().describe('What the plan had fetched was not certain enough, and more was'),
    compared: z.int().describe('Embeddings that were compared'),
    read: z.int().describe('Those of them that PostgreSQL sent; the others were in memory'),
    stages: z
      .array(
        z.object({
          name: z.string(),
          durationMs: z.number(),
          predictedMs: z.number().nullable().describe('What it took lately with this plan and mode'),
        }),
      )
      .describe('In their order'),
    neighbourhood: z
      .object({
        expectedSize: z.number(),
        size: z.int(),
        truncated: z.boolean().describe('A hop had more edges than are followed'),
      })
      .nullable()
      .describe('Of the seeds; null in mode plain'),
    keywords: z
      .object({ truncated: z.boolean().describe('More passages have a word of the text than are ranked') })
      .nullable()
      .describe('null without a text'),
  })
  .meta({ id: 'RetrievalExplanation' });

export const certificateExample = { status: 'certified', z: 3.2, wantedZ: 3 } as const;

export const explanationExample: z.input<typeof explanationSchema> = {
  ...{ plan: 'cached-partial', reason: 'gain', why: 'It is predicted to be the fastest.', givenUp: null },
  chooser: {
    ...{ features: { limit: 10, selectivity: 1 }, shape: 'plain text', buckets: [3, 0] },
    ...{ allowed: ['cached-partial', 'filtered-vector'], fallback: 'filtered-vector' },
    decision: {
      ...{
        plan: 'cached-partial',
        reason: 'gain',
        predictedMs: { 'cached-partial': 4, 'filtered-vector': 9 },
      },
      ...{ cached: false, propensity: 1, modelVersion: 2, timeoutMs: 27 },
    },
  },
  ...{ ...certificateExample, escalated: false, compared: 412, read: 80 },
  ...{ neighbourhood: null, keywords: { truncated: false } },
  stages: [{ name: 'cached-partial', durationMs: 4.1, predictedMs: 3.8 }],
};
