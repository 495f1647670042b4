import { z } from 'zod';

/** An endpoint that speaks the protocol of OpenAI. */
export const providerOptionsSchema = z.strictObject({
  /** With the version in it: `https://api.openai.com/v1`. */
  baseUrl: z.url({ protocol: /^https?$/ }).transform((it) => it.replace(/\/+$/, '')),
  /** Sent as a bearer token. Servers of one's own often need none. */
  apiKey: z.string().min(1).optional(),
  /** For chat and, when set, analyses. */
  chatModel: z.string().min(1).optional(),
  /** Other models that callers may name. */
  chatModels: z.array(z.string().min(1)).default([]),
  /** Embeddings by the provider instead of the local model. */
  embeddingModel: z.string().min(1).optional(),
  /** Length of its vectors. */
  embeddingDimensions: z.int().min(1).max(8_192).default(1_536),
  /** From a request to the beginning of its answer, and between two pieces of a streamed one, milliseconds. */
  timeoutMs: z.int().positive().default(60_000),
  /** The first one included. */
  maxAttempts: z.int().min(1).max(10).default(3),
  /** The longest wait that the provider may ask for between two attempts, milliseconds. */
  maxRetryWaitMs: z.int().nonnegative().default(20_000),
});

export type ProviderOptionsInput = z.input<typeof providerOptionsSchema>;
export type ProviderOptions = Readonly<z.output<typeof providerOptionsSchema>>;
