export { TestDatabaseUrlError } from '../database.errors.js';
export {
  foreignKeyChecks,
  type IndexUse,
  indexUse,
  listIndexes,
  recordStatements,
  type SentStatement,
} from './index-use.js';
export { createMigratedDatabase } from './migrated-database.js';
export { createTestDatabase, type TestDatabase } from './test-database.js';
export { until } from './until.js';
