export { ChunkStore } from './chunks/chunk-store.service.js';
export {
  type DocumentChunk,
  DocumentChunks,
  type ListChunksOptions,
} from './chunks/document-chunks.service.js';
export { type ChunkedDocument } from './chunks/match-chunks.js';
export { type CalibrationFigures, type ShadowOutcome } from './certificate/calibration-metrics.js';
export { type Calibration } from './certificate/calibration-rule.js';
export { RetrievalCalibration } from './certificate/retrieval-calibration.service.js';
export { type Edge, EdgeStore } from './graph/edge-store.service.js';
export { IngestSweeper } from './ingest/ingest.sweeper.js';
export { type FileWithText, ingestExtractedTexts } from './ingest/submit-ingest.js';
export { RETRIEVAL_PLANS, type RetrievalPlanName } from './plans/retrieval-plan.js';
export { type ChoiceReason, PlanChooser } from './planning/plan-chooser.service.js';
export { RETRIEVAL_FEATURES } from './planning/plan-features.js';
export {
  type PlannerAnswer,
  type RetrievalAnswer,
  type RetrievalExplanation,
  type RetrievalHit,
  type StageTime,
} from './querying/retrieval-answer.js';
export {
  MAX_RETRIEVAL_HITS,
  MAX_RETRIEVAL_SEEDS,
  MAX_RETRIEVAL_TEXT_LENGTH,
  type RetrievalQueryInput,
} from './querying/retrieval-query.js';
export { type RetrievalCallOptions, RetrievalService } from './querying/retrieval.service.js';
export {
  ChunkNotFoundError,
  CodesTooLargeError,
  CodeThreadLostError,
  CorpusTooLargeError,
  DocumentNotFoundError,
  InvalidRetrievalQueryError,
  InvalidVectorError,
  PlanNotApplicableError,
  RetrievalError,
  UnknownFilterFieldError,
  VectorIndexMissingError,
} from './retrieval.errors.js';
export { RetrievalModule, type RetrievalModuleOptions } from './retrieval.module.js';
export { type RetrievalOptions, type RetrievalOptionsInput } from './retrieval.options.js';
export { ingestDocument, retrievalTasks } from './retrieval.tasks.js';
export { RETRIEVAL_MODES, type RetrievalMode } from './search/certified-search.js';
export { type ChunkFilter } from './search/chunk-filter.js';
export { RetrievalMetrics } from './statistics/retrieval-metrics.js';
export { type Embedder, type EmbedOptions } from './vectors/embedder.js';
export { VectorIndex } from './vectors/vector-index.service.js';
