import { type Linter } from 'eslint';
import { createRequire } from 'node:module';
import { NO_TOKENS } from '../usage/usage-event.js';
import { type AnalysedCode, type Analyser, type AnalysisInput, type Finding } from './analysis.js';
import { ANALYSIS_RULES } from './analysis-rules.js';
import { LintThread } from './lint-thread.js';

const require = createRequire(import.meta.url);

/** How the parser knows what it reads. */
const FILE_NAMES: Readonly<Record<string, string>> = {
  javascript: 'code.jsx',
  typescript: 'code.ts',
  jsx: 'code.jsx',
  tsx: 'code.tsx',
};

/** Stands in the place of a rule when the code cannot be read. */
export const SYNTAX_RULE = 'syntax';

/**
 * Static analysis of JavaScript and TypeScript by ESLint as a library. The same code and rules have the same result, whatever the
 * machine's configuration; what is not valid code has one finding that says where.
 */
export class StaticAnalyser implements Analyser {
  readonly model = `eslint-${versionOf('eslint')}+security-${versionOf('eslint-plugin-security')}+rules-1`;
  readonly name = this.model;
  readonly languages = Object.keys(FILE_NAMES);
  readonly #thread: LintThread;

  constructor({ timeoutMs }: { readonly timeoutMs: number }) {
    this.#thread = new LintThread(timeoutMs);
  }

  async analyse({ code, language, rules }: AnalysisInput): Promise<AnalysedCode> {
    const known = rules.flatMap((id) => {
      const rule = ANALYSIS_RULES[id];
      return rule ? [{ id, ...rule }] : [];
    });
    const messages = await this.#thread.lint({
      code,
      fileName: FILE_NAMES[language] ?? '',
      rules: Object.fromEntries(known.map(({ eslint: [name, ...options] }) => [name, ['error', ...options]])),
    });
    const byName = new Map(known.map((it) => [it.eslint[0], it]));
    return {
      findings: messages.flatMap((it) => {
        if (it.fatal) return [findingOf(it, SYNTAX_RULE, 'error')];
        const rule = byName.get(it.ruleId ?? '');
        // What has no rule is about ESLint's own comments, which are not looked at.
        return rule ? [findingOf(it, rule.id, rule.severity)] : [];
      }),
      usage: NO_TOKENS,
    };
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

function findingOf(message: Linter.LintMessage, rule: string, severity: Finding['severity']): Finding {
  return {
    rule,
    severity,
    message: message.message,
    line: message.line,
    column: message.column,
    endLine: message.endLine ?? null,
    endColumn: message.endColumn ?? null,
  };
}

function versionOf(name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version;
}
