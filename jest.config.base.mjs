import { readFileSync } from 'node:fs';

const swc = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));
delete swc.$schema;

/**
 * One Jest project. Tests run as native ES modules from the sources: the private export condition
 * `@peregrine/source` points workspace packages at `src`, so no build is needed. The two end-to-end
 * suites are the exception: they start the built apps.
 *
 * @param {string} displayName the name of the package's folder
 * @returns {import('jest').Config}
 */
export const jestConfig = (displayName) => ({
  displayName,
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@peregrine/source', 'node', 'node-addons'] },
  testMatch: [
    '<rootDir>/src/**/*.spec.ts',
    '<rootDir>/test/**/*.{int-,property.}spec.ts',
    '<rootDir>/e2e/**/*.e2e-spec.ts',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: ['reflect-metadata'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/out-tsc/'],
});
