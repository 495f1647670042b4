export { ASSETS_FOLDER } from './assets-folder.js';
export { type ActionAnswer, type ActionName, type SessionAnswer } from './contract/actions.js';
export {
  type CacheFigures,
  type CacheNamespaceFigures,
  type CacheTierFigures,
} from './contract/cache-figures.js';
export { type CdnFigures, type OriginFigures, type PurgeFigures } from './contract/cdn-figures.js';
export { type FlagFigures } from './contract/flag-figures.js';
export { type LoopFigures, type QueriesFigures, type QueryRow } from './contract/query-figures.js';
export { type ClassFigures, type DeadLetterFigures, type QueueFigures } from './contract/queue-figures.js';
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
