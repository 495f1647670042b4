import { type Linter } from 'eslint';
import { parentPort } from 'node:worker_threads';

/**
 * The other side of `LintThread`, alone in its thread: a rule that does not end holds up nobody, and can be ended. No code that it is
 * given is run, no file is read, no configuration looked for, and no comment in the code switches a rule off.
 */

/** One file to look at. */
export interface LintJob {
  readonly id: number;
  readonly code: string;
  readonly fileName: string;
  /** By the names of ESLint. */
  readonly rules: Readonly<Record<string, readonly unknown[]>>;
}

/** What came of it. */
export interface LintOutcome {
  readonly id: number;
  readonly messages?: readonly Linter.LintMessage[];
  readonly error?: string;
}

const [{ Linter: EslintLinter }, { default: security }, { parser }] = await Promise.all([
  import('eslint'),
  import('eslint-plugin-security'),
  import('typescript-eslint'),
]);
const linter = new EslintLinter({ configType: 'flat' });

parentPort?.on('message', ({ id, code, fileName, rules }: LintJob) => {
  parentPort?.postMessage(
    outcomeOf(id, () => linter.verify(code, [configOf(rules)], { filename: fileName })),
  );
});

function configOf(rules: LintJob['rules']): Linter.Config {
  return {
    files: ['**/*.{js,jsx,ts,tsx}'],
    plugins: { security },
    languageOptions: {
      parser: parser,
      parserOptions: { ecmaVersion: 'latest', sourceType: 'module' },
    },
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' },
    rules: rules as Linter.RulesRecord,
  };
}

function outcomeOf(id: number, run: () => Linter.LintMessage[]): LintOutcome {
  try {
    // Only data passes to the other thread, and fixes are of no use there.
    return { id, messages: run().map(({ fix: _, suggestions: __, ...message }) => message) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}
