import { z } from 'zod';

/** Messages of a request at most. */
export const MAX_CHAT_MESSAGES = 2_000;

/** The fields of a request that matter here. All others pass, to the provider and into the key. */
export const chatRequestSchema = z.looseObject({
  model: z.string().min(1).max(200).optional().describe('Default: the configured one'),
  messages: z
    .array(z.looseObject({ role: z.string().min(1).max(50) }))
    .min(1)
    .max(MAX_CHAT_MESSAGES),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  n: z.int().min(1).max(128).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
});

export type ChatRequestInput = z.input<typeof chatRequestSchema>;
export type ChatRequest = Readonly<z.output<typeof chatRequestSchema>>;
