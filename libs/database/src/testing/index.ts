export { TestDatabaseUrlError } from '../database.errors.js';
export { createTestDatabase, type TestDatabase } from './test-database.js';
