export {
  type EntitiesLoaderOptions,
  entitiesLoaderFor,
  type EntityLoaderOptions,
  entityLoaderFor,
} from './entity-loader.js';
export { type ColumnOf } from './entity-columns.js';
export { poolDriver } from './pool-driver.js';
export { queryResultCache } from './query-result-cache.js';
export { selectColumns } from './select-columns.js';
