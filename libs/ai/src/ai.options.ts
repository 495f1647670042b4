import { z } from 'zod';
import { providerOptionsSchema } from './client/provider.options.js';
import { semanticReuseSchema } from './semantic/semantic.options.js';

const MIB = 1_048_576;

/** What the application's `CacheModule` must declare; `live` with the tier `redis` alone. */
export const AI_CACHE_NAMESPACES = { results: 'ai', embeddings: 'ai-embeddings', live: 'ai-live' } as const;

const priceSchema = z.strictObject({
  model: z.string().min(1),
  validFrom: z.iso.date(),
  /** US dollars for a million tokens. */
  inputUsd: z.number().min(0).max(100_000),
  cachedInputUsd: z.number().min(0).max(100_000).optional(),
  outputUsd: z.number().min(0).max(100_000),
  source: z.string(),
});

export const aiOptionsSchema = z
  .strictObject({
    /** Without one: embeddings and analyses are made here, chat is refused. */
    provider: providerOptionsSchema.optional(),
    /** Who analyses: ESLint here, or the provider's chat model. */
    analyser: z.enum(['local', 'model']).default('local'),
    /** Of one local analysis, milliseconds. */
    analysisTimeoutMs: z.int().positive().default(20_000),
    /** US dollars a day (UTC) of all processes together; absent: no limit. */
    dailyBudgetUsd: z.number().min(0).max(1_000_000).optional(),
    /** Prices that go before the published ones. */
    prices: z.array(priceSchema).default([]),
    /** Embeddings in memory. */
    memory: z
      .strictObject({
        maxEntries: z.int().positive().default(10_000),
        maxBytes: z
          .int()
          .positive()
          .default(50 * MIB),
        ttlMs: z.int().positive().default(3_600_000),
      })
      .prefault({}),
    /** A chat may be answered with the reply to another question that says nearly the same. It can be wrong; absent: never. */
    semanticReuse: semanticReuseSchema.optional(),
    /** Keys that `whyMissed` compares with. */
    rememberedKeys: z.int().min(0).max(100_000).default(500),
  })
  .superRefine(({ analyser, provider }, context) => {
    if (analyser === 'local' || provider?.chatModel) return;
    context.addIssue({ code: 'custom', path: ['analyser'], message: 'model needs provider.chatModel' });
  });

export type AiOptionsInput = z.input<typeof aiOptionsSchema>;
export type AiOptions = Readonly<z.output<typeof aiOptionsSchema>>;

/** The parsed options. */
export const AI_OPTIONS = Symbol('@peregrine/ai:options');
