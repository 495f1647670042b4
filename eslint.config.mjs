import eslint from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** A scope may import the scopes in `allowed`, and itself. */
const scope = (name, ...allowed) => ({
  sourceTag: `scope:${name}`,
  onlyDependOnLibsWithTags: [name, ...allowed].map((it) => `scope:${it}`),
});

export default tseslint.config(
  { ignores: ['**/dist', '**/out-tsc', '.nx', '.peregrine', '**/node_modules'] },
  eslint.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      // Nest modules are empty classes by design.
      '@typescript-eslint/no-extraneous-class': 'off',
      '@nx/enforce-module-boundaries': [
        'error',
        {
          depConstraints: [
            {
              sourceTag: 'type:app',
              onlyDependOnLibsWithTags: [
                'type:composition',
                'type:ui',
                'type:workload',
                'type:platform',
                'type:foundation',
                'type:migrations',
              ],
            },
            {
              sourceTag: 'type:composition',
              // Migrations for its integration tests only.
              onlyDependOnLibsWithTags: [
                'type:workload',
                'type:platform',
                'type:foundation',
                'type:migrations',
              ],
            },
            {
              sourceTag: 'type:workload',
              // Migrations for its integration tests only.
              onlyDependOnLibsWithTags: [
                'type:workload',
                'type:platform',
                'type:foundation',
                'type:migrations',
              ],
            },
            // Runs in a browser, and knows the figures only by its own types.
            { sourceTag: 'type:ui', onlyDependOnLibsWithTags: ['type:ui'] },
            { sourceTag: 'type:platform', onlyDependOnLibsWithTags: ['type:platform'] },
            { sourceTag: 'type:foundation', onlyDependOnLibsWithTags: ['type:foundation'] },
            // The triggers that tell of writes come from the query optimizer.
            { sourceTag: 'type:migrations', onlyDependOnLibsWithTags: ['type:foundation', 'type:platform'] },
            {
              sourceTag: 'type:tool',
              // The runtime for what a request pays on its way in.
              onlyDependOnLibsWithTags: [
                'type:composition',
                'type:workload',
                'type:platform',
                'type:foundation',
                'type:migrations',
              ],
            },
            // The platform libraries install alone: none imports another, nor a foundation package.
            scope('cache'),
            scope('task-queue'),
            scope('query-optimizer'),
            scope('cdn'),
            scope('metrics'),
            scope('config'),
            scope('database'),
            scope('health'),
            scope('migrations', 'database', 'query-optimizer'),
            scope('content', 'cache', 'task-queue', 'query-optimizer', 'database', 'migrations'),
            scope('ai', 'cache', 'task-queue', 'query-optimizer', 'database', 'migrations'),
            scope('memories', 'ai', 'cache', 'task-queue', 'query-optimizer', 'database', 'migrations'),
            scope(
              'retrieval',
              'ai',
              'content',
              'cache',
              'task-queue',
              'query-optimizer',
              'database',
              'migrations',
            ),
          ],
        },
      ],
    },
  },
  {
    files: ['libs/{cache,query-optimizer,task-queue,cdn,metrics}/src/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'A platform library takes options, it never reads the environment.',
        },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts', '**/test/**/*.ts', '**/e2e/**/*.ts'],
    // `expect(service.method)` and JSON bodies of foreign answers are the everyday of a test.
    rules: {
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@nx/enforce-module-boundaries': 'off' },
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'URL', 'setTimeout', 'clearTimeout', 'Buffer', 'fetch'].map((it) => [
          it,
          'readonly',
        ]),
      ),
    },
  },
  prettier,
);
