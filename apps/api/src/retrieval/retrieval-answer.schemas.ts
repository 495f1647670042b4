import { z } from 'zod';
import {
  certificate,
  certificateExample,
  explanationExample,
  explanationSchema,
} from './retrieval-explanation.schemas.js';

const CHUNK = '0199f1c0-0000-7000-8000-00000000000a';
const DOCUMENT = '0199f1c0-0000-7000-8000-00000000000b';

const chunk = {
  chunkId: z.uuid().describe('For seeds'),
  place: z.int().describe('In its file, from 0'),
  type: z.string().describe("The file's media type"),
  createdAt: z.iso.datetime().describe('When the file came'),
  text: z.string(),
};
const chunkExample = {
  ...{ chunkId: CHUNK, place: 3, type: 'text/markdown', createdAt: '2026-03-01T09:30:00.000Z' },
  text: '# Staging\n\nThe staging database is restored from the backup every night.',
};

export const documentChunkSchema = z.object(chunk).meta({ id: 'DocumentChunk', example: chunkExample });

const hitSchema = z
  .object({
    ...chunk,
    documentId: z.uuid().describe('The file'),
    score: z.number().describe('What the hits are ordered by'),
    cosine: z.number(),
    proximity: z.number().describe('To the seeds, 0 to 1'),
    keyword: z.number().nullable().describe('BM25; null: none of the words, or no text'),
  })
  .meta({ id: 'RetrievalHit' });

export const answerSchema = z
  .object({
    hits: z.array(hitSchema).describe('Best first'),
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
  .meta({ id: 'ExplainedRetrieval', example: { chunkIds: [CHUNK], explanation: explanationExample } });
