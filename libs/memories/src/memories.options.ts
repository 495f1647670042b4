import { z } from 'zod';

const share = z.number().min(0).max(1);

/** How relevance and use become one score. */
const weightsSchema = z.strictObject({
  /** Of the BM25 score over the best one of the answer. */
  keyword: z.number().nonnegative().default(1),
  /** Of the cosine over the best one of the answer. */
  vector: z.number().nonnegative().default(0.3),
  /** How much of the factor that use, recency and associations may change comes from each. */
  resonance: share.default(0.3),
  recency: share.default(0.1),
  association: share.default(0.25),
  /** No memory gains or loses more by them than these factors: a bias, never a filter. */
  minBoost: z.number().positive().max(1).default(0.7),
  maxBoost: z.number().min(1).default(1.5),
});

const consolidationSchema = z.strictObject({
  enabled: z.boolean().default(true),
  /** Memories of at least this cosine may be merged. */
  minCosine: z.number().gt(0).max(1).default(0.92),
  /** A summary has at most so many sources. */
  maxSources: z.number().int().min(2).max(100).default(20),
});

const feedbackSchema = z.strictObject({
  /** How often what was read is written, milliseconds. */
  intervalMs: z.number().int().positive().default(1_000),
  /** What waits at most, memories and pairs together; more is dropped and counted. */
  maxPending: z.number().int().positive().default(100_000),
});

/** Options of the workload. */
export const memoriesOptionsSchema = z.strictObject({
  /** Signs the cursors of lists; at least 32 characters, the same for every process. */
  cursorSecret: z.string().min(32),
  /** A longer content is refused, UTF-8 bytes. PostgreSQL indexes no more than 1 MiB of words. */
  maxContentBytes: z.number().int().positive().max(500_000).default(65_536),
  /** Most memories in one call. */
  maxBatch: z.number().int().positive().max(1_000).default(500),
  /** How vectors are searched. `auto`: by pgvector where the migrations found it. */
  vectorIndex: z.enum(['auto', 'sign-codes', 'pgvector']).default('auto'),
  /** A query waits so long for its embedding, milliseconds; without it the answer is by words alone, and says so. */
  embedDeadlineMs: z.number().int().positive().default(150),
  /** How many memories the words of a query may match before its most common words no longer select, only rank. */
  keywordReach: z.number().int().positive().default(5_000),
  /** How many of the best by words, and of the nearest by vector, are ranked. */
  keywordHits: z.number().int().positive().default(100),
  vectorHits: z.number().int().positive().default(200),
  /** So many of an answer, the most relevant, are taken for used. */
  reinforcedHits: z.number().int().nonnegative().default(10),
  weights: weightsSchema.prefault({}),
  consolidation: consolidationSchema.prefault({}),
  feedback: feedbackSchema.prefault({}),
  /** How often a worker looks for embeddings that were lost and counts words, milliseconds. */
  sweepIntervalMs: z.number().int().positive().default(60_000),
});

export type MemoriesOptionsInput = z.input<typeof memoriesOptionsSchema>;
export type MemoriesOptions = Readonly<z.output<typeof memoriesOptionsSchema>>;
export type RankingWeights = MemoriesOptions['weights'];

/** The parsed options. */
export const MEMORIES_OPTIONS = Symbol('@peregrine/memories:options');
