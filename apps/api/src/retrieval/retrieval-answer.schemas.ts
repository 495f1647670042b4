import { RETRIEVAL_PLANS } from '@peregrine/retrieval';
import { z } from 'zod';

const CHUNK = '0199f1c0-0000-7000-8000-00000000000a';
const DOCUMENT = '0199f1c0-0000-7000-8000-00000000000b';

const status = z
  .enum(['complete', 'certified', 'uncertified'])
  .describe(
    'complete: every passage that fits was compared. certified: the recall is as certain as recallFloor asks for. ' +
      'uncertified: the time was up before',
  );
const certificate = {
  status,
  z: z
    .number()
    .nullable()
    .describe(
      'Standard deviations that the code of a missed passage would have strayed by; null: not finite',
    ),
  wantedZ: z.number().nullable().describe('What z had to be; null: everything was to be compared'),
};

const chunk = {
  chunkId: z.uuid().describe('For seeds'),
  place: z.int().describe('In its file, from 0'),
  type: z.string(),
  createdAt: z.iso.datetime(),
  text: z.string(),
};
const chunkExample = {
  ...{ chunkId: CHUNK, place: 3, type: 'text/markdown', createdAt: '2026-03-01T09:30:00.000Z' },
  text: '# Staging\n\nThe staging database is restored from the backup every night.',
};

export const documentChunkSchema = z.object(chunk).meta({ id: 'DocumentChunk', example: chunkExample });

const scores = {
  score: z.number().describe('What the hits are ordered by'),
  cosine: z.number(),
  proximity: z.number().describe('To the seeds, 0 to 1'),
  keyword: z.number().nullable().describe('BM25; null: none of the words, or no text'),
};
const hit = z
  .object({ ...chunk, documentId: z.uuid().describe('The file'), ...scores })
  .meta({ id: 'RetrievalHit' });

export const explanationSchema = z
  .object({
    plan: z.enum(RETRIEVAL_PLANS).describe('What was looked at first; the recall does not depend on it'),
    why: z.string(),
    ...certificate,
    escalated: z.boolean().describe('What the plan had fetched was not certain enough, and more was'),
    compared: z.int().describe('Embeddings that were compared'),
    stages: z.array(z.object({ name: z.string(), durationMs: z.number() })).describe('In their order'),
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

const certificateExample = { status: 'certified', z: 3.2, wantedZ: 3 };
const explanationExample = {
  ...{ plan: 'cached-partial', why: 'the codes of the workspace are in memory', ...certificateExample },
  ...{ escalated: false, compared: 412, neighbourhood: null, keywords: { truncated: false } },
  stages: [{ name: 'cached-partial', durationMs: 4.1 }],
};

export const answerSchema = z
  .object({
    hits: z.array(hit).describe('Best first'),
    certificate: z.object(certificate).describe('What is known of the recall by vector'),
    explanation: explanationSchema.optional().describe('Where it was asked for'),
  })
  .meta({
    id: 'RetrievalAnswer',
    example: {
      hits: [
        {
          ...{ ...chunkExample, documentId: DOCUMENT },
          ...{ score: 1.3, cosine: 0.62, proximity: 0, keyword: 9.1 },
        },
      ],
      certificate: certificateExample,
      explanation: explanationExample,
    },
  });

export const explainedSchema = z
  .object({
    chunkIds: z.array(z.uuid()).describe('The hits, best first'),
    explanation: explanationSchema,
  })
  .meta({
    id: 'ExplainedRetrieval',
    example: { chunkIds: [CHUNK], explanation: explanationExample },
  });
