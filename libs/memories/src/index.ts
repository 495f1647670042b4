export { type AddedMemory, MemoryAddService } from './adding/memory-add.service.js';
export { ConsolidationService } from './consolidation/consolidation.service.js';
export { type Embedder, type EmbedOptions, MEMORY_EMBEDDER } from './embedding/embedder.js';
export { type Answer, FeedbackService } from './feedback/feedback.service.js';
export { memoriesTag } from './memories.cache-tags.js';
export {
  InvalidEmbeddingError,
  InvalidMemoryError,
  InvalidMemoryQueryError,
  MemoriesError,
  MemoryBatchTooLargeError,
  MemoryNotFoundError,
  MemoryWorkspaceNotFoundError,
  NotASummaryError,
  VectorIndexMissingError,
} from './memories.errors.js';
export { MemoriesModule, type MemoriesModuleOptions } from './memories.module.js';
export {
  MEMORIES_OPTIONS,
  type MemoriesOptions,
  memoriesOptionsSchema,
  type MemoriesOptionsInput,
} from './memories.options.js';
export { MemoriesSweeper } from './memories.sweeper.js';
export { consolidateMemories, embedMemories, memoryTasks } from './memories.tasks.js';
export { type Memory, MEMORY_TIERS, type MemoryKind, type MemoryTier, type MemoryUse } from './memory.js';
export {
  MAX_MEMORY_HITS,
  MAX_MEMORY_QUERY_LENGTH,
  type MemoryAnswer,
  type MemoryHit,
  MemoryQueryService,
  type QueryOptions,
} from './querying/memory-query.service.js';
export { type MemoryScore } from './querying/rank-memories.js';
export { AuditService, type MemoryAudit } from './reading/audit.service.js';
export { type BootstrapMemory, BootstrapService } from './reading/bootstrap.service.js';
export { type Association, type MemoryDetail, MemoryService } from './reading/memory.service.js';
