import {
  ANALYSIS_RULE_GROUPS,
  ANALYSIS_RULES,
  batchItemSchema,
  chatRequestSchema,
  MAX_BATCH_ANALYSES,
} from '@peregrine/ai';
import { z } from 'zod';

/** Inputs of one request at most: the limit of the protocol. */
const MAX_INPUTS = 2_048;

export const analysisRequestSchema = z
  .strictObject({
    code: z.string().describe('Up to 1 MiB'),
    language: z.string().min(1).max(50).describe('javascript, typescript, jsx, tsx; of a model also others'),
    rules: z
      .array(z.string().max(100))
      .max(200)
      .default([])
      .describe(`Groups (${ANALYSIS_RULE_GROUPS.join(', ')}) or single rules; all when left out`),
  })
  .meta({
    id: 'AnalysisRequest',
    example: { code: 'eval(input);', language: 'javascript', rules: ['security', 'quality/loose-equality'] },
  });

const findingSchema = z.object({
  rule: z.string().describe(`One of ${Object.keys(ANALYSIS_RULES).length} rules, or syntax`),
  severity: z.enum(['error', 'warning']),
  message: z.string(),
  line: z.int().describe('From 1'),
  column: z.int(),
  endLine: z.int().nullable(),
  endColumn: z.int().nullable(),
});

export const analysisAnswerSchema = z
  .object({
    key: z.string().describe('Of the cache'),
    source: z.enum(['hit', 'miss', 'coalesced']).describe('Cached, made now, or shared with another caller'),
    analysis: z.object({
      language: z.string(),
      model: z.string(),
      rules: z.array(z.string()),
      findings: z.array(findingSchema),
      isTruncated: z.boolean(),
      lines: z.int(),
      errors: z.int(),
      warnings: z.int(),
    }),
  })
  .meta({
    id: 'AnalysisAnswer',
    example: {
      key: `ai:analysis:v1:${'5'.repeat(64)}:${'a'.repeat(64)}`,
      source: 'miss',
      analysis: {
        language: 'javascript',
        model: 'eslint-10.15.0+security-4.1.0+rules-1',
        rules: ['security/eval'],
        findings: [
          {
            rule: 'security/eval',
            severity: 'error',
            message: '`eval` can be harmful.',
            line: 1,
            column: 1,
            endLine: 1,
            endColumn: 5,
          },
        ],
        isTruncated: false,
        lines: 1,
        errors: 1,
        warnings: 0,
      },
    },
  });

export const analysisBatchSchema = z
  .strictObject({ items: z.array(batchItemSchema).min(1).max(MAX_BATCH_ANALYSES) })
  .meta({
    id: 'AnalysisBatch',
    example: { items: [{ name: 'src/main.ts', code: 'export {};', language: 'typescript', rules: [] }] },
  });

export const embeddingRequestSchema = z
  .strictObject({
    input: z.union([z.string(), z.array(z.string()).min(1).max(MAX_INPUTS)]),
    model: z.string().min(1).max(200).optional().describe('Default and only choice: the configured one'),
    dimensions: z.int().min(1).optional().describe('Only those of the model'),
    encoding_format: z.enum(['float', 'base64']).default('float'),
    user: z.string().max(200).optional(),
  })
  .meta({
    id: 'EmbeddingRequest',
    example: { input: ['wild geese', 'fly south'], encoding_format: 'float' },
  });

export const embeddingAnswerSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: z.int(),
        embedding: z
          .union([z.array(z.number()), z.string()])
          .describe('Numbers, or base64 of little-endian 32-bit floats'),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({
    id: 'EmbeddingAnswer',
    example: {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5] }],
      model: 'local-hashing-384-v1',
      usage: { prompt_tokens: 0, total_tokens: 0 },
    },
  });

export const chatSchema = chatRequestSchema.meta({
  id: 'ChatRequest',
  description: 'As the public protocol of chat completions has it; fields that are not listed pass through',
  example: { messages: [{ role: 'user', content: 'Say hello.' }], temperature: 0, stream: false },
});

export const chatAnswerSchema = z
  .looseObject({
    id: z.string().optional(),
    object: z.literal('chat.completion'),
    choices: z.array(z.looseObject({ index: z.int(), finish_reason: z.string().nullable() })),
    usage: z.looseObject({ prompt_tokens: z.int(), completion_tokens: z.int() }),
  })
  .meta({
    id: 'ChatAnswer',
    example: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-4o-mini',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
    },
  });

export const statisticsQuery = z.object({
  days: z.coerce.number().int().min(1).max(366).default(30).describe('Today and those before it'),
});

const counts = z.object({ paid: z.int(), hit: z.int(), coalesced: z.int(), semantic: z.int() });
const usd = z.number().nullable().describe('US dollars; null when the price of the model is not known');

export const aiStatisticsSchema = z
  .object({
    since: z.iso.date().describe('First day, UTC'),
    results: counts.describe(
      'Of embeddings one an input; coalesced: shared with a call under way; semantic: the reply to another question',
    ),
    callsSaved: z.int(),
    hitRate: z.number().nullable().describe('0 to 1, of the same question'),
    spentUsd: z.number(),
    savedUsd: z.number().describe('By hits, at the prices of their day'),
    coalescedUsd: z.number(),
    semanticUsd: z.number(),
    unpricedResults: z.int().describe('Of models without a price; they are in no sum'),
    models: z.array(
      z.object({
        kind: z.enum(['analysis', 'embedding', 'model', 'chat']),
        model: z.string(),
        results: counts,
        paidTokens: z.int(),
        savedTokens: z.int(),
        spentUsd: usd,
        savedUsd: usd,
        coalescedUsd: usd,
        semanticUsd: usd,
        suspects: z.int().describe('Results with counts of the provider that could not be true'),
      }),
    ),
  })
  .meta({
    id: 'AiStatistics',
    example: {
      since: '2026-10-24',
      results: { paid: 10, hit: 85, coalesced: 5, semantic: 0 },
      callsSaved: 90,
      hitRate: 0.85,
      spentUsd: 0.012,
      savedUsd: 0.102,
      coalescedUsd: 0.006,
      semanticUsd: 0,
      unpricedResults: 0,
      models: [
        {
          kind: 'chat',
          model: 'gpt-4o-mini',
          results: { paid: 10, hit: 85, coalesced: 5, semantic: 0 },
          paidTokens: 20_000,
          savedTokens: 180_000,
          spentUsd: 0.012,
          savedUsd: 0.102,
          coalescedUsd: 0.006,
          semanticUsd: 0,
          suspects: 0,
        },
      ],
    },
  });

export type AnalysisBody = z.output<typeof analysisRequestSchema>;
export type AnalysisBatch = z.output<typeof analysisBatchSchema>;
export type EmbeddingBody = z.output<typeof embeddingRequestSchema>;
