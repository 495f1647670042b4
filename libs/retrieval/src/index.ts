export { type CalibrationFigures, type ShadowOutcome } from './certificate/calibration-metrics.js';
export { type Calibration } from './certificate/calibration-rule.js';
export { RetrievalCalibration } from './certificate/retrieval-calibration.service.js';
export { type ChunkedDocument, ChunkStore } from './chunks/chunk-store.service.js';
export { type Edge, EdgeStore } from './graph/edge-store.service.js';
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
export { MAX_RETRIEVAL_HITS, type RetrievalQueryInput } from './querying/retrieval-query.js';
export { RetrievalService } from './querying/retrieval.service.js';
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
export { RETRIEVAL_MODES, type RetrievalMode } from './search/certified-search.js';
export { type ChunkFilter } from './search/chunk-filter.js';
export { RetrievalMetrics } from './statistics/retrieval-metrics.js';
export { type Embedder } from './vectors/embedder.js';
export { VectorIndex } from './vectors/vector-index.service.js';
