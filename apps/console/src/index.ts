export { ASSETS_FOLDER } from './assets-folder.js';
export {
  type ActionAnswer,
  type ActionName,
  type ActionsFigures,
  type RecentAction,
  type SessionAnswer,
} from './contract/actions.js';
export {
  type CacheFigures,
  type CacheNamespaceFigures,
  type CacheTierFigures,
} from './contract/cache-figures.js';
export {
  type CdnFigures,
  type EdgeFigures,
  type OriginFigures,
  type PurgeFigures,
  type ReleaseFigures,
} from './contract/cdn-figures.js';
export { type FlagFigures } from './contract/flag-figures.js';
export {
  type IndexFigures,
  type IndexFindingFigures,
  type RecommendationFigures,
} from './contract/index-figures.js';
export {
  type PlatformProcesses,
  type PlatformProcessFigures,
  type SavingsFigures,
} from './contract/process-figures.js';
export {
  type LoopFigures,
  type PlanFigures,
  type QueriesFigures,
  type QueryDetail,
  type QueryRow,
  type SlowQueryRow,
} from './contract/query-figures.js';
export { type ClassFigures, type DeadLetterFigures, type QueueFigures } from './contract/queue-figures.js';
export {
  type CalibrationFigures,
  type RegretStep,
  type RetrievalFigures,
  type RetrievalPlanFigures,
} from './contract/retrieval-figures.js';
export {
  type ConsoleSnapshot,
  type Level,
  type Limit,
  type Page,
  type PoolFigures,
  type ProcessFigures,
  type RequestHistoryFigures,
  type RouteFigures,
  type Verdict,
} from './contract/snapshot.js';
