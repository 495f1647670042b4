export {
  AiAnalysisError,
  AiAnalysisTimeoutError,
  AiBudgetExceededError,
  AiError,
  AiInputError,
  AiKeyError,
  AiNotConfiguredError,
  AiProviderAccessError,
  AiProviderAnswerError,
  AiProviderError,
  AiQuotaExhaustedError,
  AiRateLimitedError,
  AiRequestRefusedError,
  AiStreamBrokenError,
  AiTimeoutError,
  AiUnknownLanguageError,
  AiUnknownModelError,
  AiUnknownRuleError,
  AiUnpricedModelError,
} from './ai.errors.js';
export { AiModule, type AiModuleOptions, AiParts, type CacheSwitch } from './ai.module.js';
export {
  AI_CACHE_NAMESPACES,
  AI_OPTIONS,
  type AiOptions,
  type AiOptionsInput,
  aiOptionsSchema,
} from './ai.options.js';
export { aiTasks, analyseBatch, batchItemSchema, MAX_BATCH_ANALYSES } from './ai.tasks.js';
export { EMBEDDINGS } from './ai.tokens.js';
export { type BatchItemResult } from './analysis/analyse-batch.handler.js';
export { type Analysis, type Finding, type FindingSeverity } from './analysis/analysis.js';
export { ANALYSIS_RULE_GROUPS, ANALYSIS_RULES, type AnalysisRule } from './analysis/analysis-rules.js';
export {
  type AnalysisAnswer,
  type AnalysisRequest,
  AnalysisService,
  MAX_CODE_BYTES,
} from './analysis/analysis.service.js';
export { type AiCall, CachedAiCall } from './cached-ai-call.js';
export { ChatAnswer, type ChatSource, type ChatSourceDetail } from './chat/chat-answer.js';
export { chatPolicyOf, type ChatPolicy } from './chat/chat-policy.js';
export {
  type ChatRequest,
  type ChatRequestInput,
  chatRequestSchema,
  MAX_CHAT_MESSAGES,
} from './chat/chat-request.js';
export { ChatService } from './chat/chat.service.js';
export { type ProviderOptions, type ProviderOptionsInput } from './client/provider.options.js';
export { type EmbeddedTexts, type EmbeddingModel } from './embeddings/embedding-model.js';
export {
  type EmbedAnswer,
  type Embeddings,
  EmbeddingsService,
  type EmbedRequest,
  MAX_EMBEDDING_INPUT_BYTES,
  MAX_EMBEDDING_INPUTS,
} from './embeddings/embeddings.service.js';
export { HashingModel, hashText } from './embeddings/hashing-model.js';
export { canonicalJson } from './keys/canonical-json.js';
export {
  type AnalysisKeyParts,
  CacheKeyGenerator,
  type EmbeddingKeyParts,
  type ReplyKeyParts,
} from './keys/cache-key-generator.js';
export { type KeyDifference } from './keys/key-memory.js';
export { normalisedCode } from './keys/source-code.js';
export { AI_TTL_MS, type AiResultKind, MAX_CACHED_TEMPERATURE } from './keys/ttl-policies.js';
export { protectedFacts } from './semantic/protected-facts.js';
export { AiMetrics } from './usage/ai-metrics.js';
export {
  type AiStatistics,
  AiStatisticsService,
  type ModelUsage,
  type ResultCounts,
} from './usage/ai-statistics.service.js';
export { MODEL_PRICES, type ModelPrice } from './usage/model-prices.data.js';
export { PriceTable } from './usage/price-table.js';
export { type TokenUsage, type UsageOutcome } from './usage/usage-event.js';
