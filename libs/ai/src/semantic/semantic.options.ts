import { z } from 'zod';

export const semanticReuseSchema = z.strictObject({
  /** Cosine of the angle between two embeddings from which on they count as neighbours, 0.9 to 1. */
  threshold: z.number().min(0.9).max(1).default(0.97),
  /** Questions in memory, of one tenant. */
  maxQuestionsPerTenant: z.int().positive().max(10_000).default(200),
  /** Tenants in memory; the one that was longest without a question goes. */
  maxTenants: z.int().positive().max(10_000).default(50),
  /** Longest wait for the embedding of a question, milliseconds; then the question goes to the provider. */
  timeoutMs: z.int().positive().default(2_000),
});

export type SemanticReuseOptions = Readonly<z.output<typeof semanticReuseSchema>>;
