import { type AiModuleOptions } from '@peregrine/ai';
import { FeatureFlags } from '@peregrine/config';
import { type Settings } from './settings.js';

/** Prices of the settings hold for all days. */
const ALWAYS = '1970-01-01';

/** The options of the workload, from the settings. */
export function aiOptions({ ai }: Settings): AiModuleOptions {
  return {
    ...(ai.baseUrl === undefined ? {} : { provider: providerOf(ai, ai.baseUrl) }),
    analyser: ai.analysis,
    ...(ai.dailyBudgetUsd === undefined ? {} : { dailyBudgetUsd: ai.dailyBudgetUsd }),
    ...(ai.semanticReuse === undefined ? {} : { semanticReuse: { threshold: ai.semanticReuse } }),
    prices: (ai.modelPrices ?? []).map((it) => ({ ...it, validFrom: ALWAYS, source: 'AI_MODEL_PRICES' })),
    cacheSwitch: {
      inject: [FeatureFlags],
      useFactory: (flags: FeatureFlags) => (namespace: string, key: string) =>
        flags.isEnabled('cacheEnabled', key, namespace),
    },
  };
}

function providerOf(ai: Settings['ai'], baseUrl: string): NonNullable<AiModuleOptions['provider']> {
  return {
    baseUrl,
    ...(ai.apiKey === undefined ? {} : { apiKey: ai.apiKey }),
    ...(ai.chatModel === undefined ? {} : { chatModel: ai.chatModel }),
    chatModels: ai.chatModels ?? [],
    ...(ai.embeddingModel === undefined ? {} : { embeddingModel: ai.embeddingModel }),
    embeddingDimensions: ai.embeddingDimensions,
    timeoutMs: ai.timeoutMs,
    maxAttempts: ai.maxAttempts,
  };
}
