export { AiError, AiInputError, AiKeyError, AiNotConfiguredError, AiUnknownModelError } from './ai.errors.js';
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
