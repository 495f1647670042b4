import { AiUnknownLanguageError, AiUnknownRuleError } from '../ai.errors.js';
import { type FindingSeverity } from './analysis.js';

/** A rule of an analysis. */
export interface AnalysisRule {
  readonly severity: FindingSeverity;
  /** What it looks for; a model is told this. */
  readonly about: string;
  /** The rule of ESLint that looks for it, with its options. */
  readonly eslint: readonly [name: string, ...options: readonly unknown[]];
}

const error = (about: string, name: string, ...options: readonly unknown[]): AnalysisRule => ({
  severity: 'error',
  about,
  eslint: [name, ...options],
});
const warning = (about: string, name: string, ...options: readonly unknown[]): AnalysisRule => ({
  severity: 'warning',
  about,
  eslint: [name, ...options],
});

/**
 * Every rule, in its group: `security` asks for all of a group, `security/eval` for one. Only rules that need no types, no
 * other file and no configuration: the result follows from the code alone.
 */
export const ANALYSIS_RULES: Readonly<Record<string, AnalysisRule>> = {
  'security/eval': error('code made of text and run', 'no-eval'),
  'security/implied-eval': error('text given to timers as code', 'no-implied-eval'),
  'security/new-function': error('functions made of text', 'no-new-func'),
  'security/script-url': error('addresses that begin with javascript:', 'no-script-url'),
  'security/child-process': error(
    'processes started with a text that is put together',
    'security/detect-child-process',
  ),
  'security/unsafe-regex': error(
    'regular expressions that may take exponential time',
    'security/detect-unsafe-regex',
  ),
  'security/dynamic-regex': warning('regular expressions made of text', 'security/detect-non-literal-regexp'),
  'security/dynamic-require': warning(
    'modules loaded by a name that is put together',
    'security/detect-non-literal-require',
  ),
  'security/dynamic-path': warning(
    'files opened by a name that is put together',
    'security/detect-non-literal-fs-filename',
  ),
  'security/buffer-noassert': error(
    'reads of a buffer without a check of its bounds',
    'security/detect-buffer-noassert',
  ),
  'security/new-buffer': error('buffers of memory that is not cleared', 'security/detect-new-buffer'),
  'security/weak-random': error('random bytes that can be foretold', 'security/detect-pseudoRandomBytes'),
  'security/timing-attack': warning(
    'secrets compared in a time that tells of them',
    'security/detect-possible-timing-attacks',
  ),
  'security/hidden-direction': error(
    'characters that show code in another order than it runs',
    'security/detect-bidi-characters',
  ),
  'quality/complexity': warning('functions with more than 15 ways through them', 'complexity', { max: 15 }),
  'quality/long-function': warning('functions of more than 80 lines', 'max-lines-per-function', {
    max: 80,
    skipBlankLines: true,
    skipComments: true,
  }),
  'quality/deep-nesting': warning('blocks nested more than four levels', 'max-depth', { max: 4 }),
  'quality/many-parameters': warning('functions with more than five parameters', 'max-params', { max: 5 }),
  'quality/loose-equality': warning('== and !=, which convert their sides', 'eqeqeq', 'smart'),
  'quality/var': warning('variables declared with var', 'no-var'),
  'quality/prefer-const': warning('variables that are never assigned again', 'prefer-const'),
  'quality/empty-block': warning('blocks without a statement, also those that swallow errors', 'no-empty'),
  'quality/unreachable': error('code that is never reached', 'no-unreachable'),
  'quality/duplicate-case': error('cases that stand twice in a switch', 'no-duplicate-case'),
  'quality/duplicate-key': error('names that stand twice in an object', 'no-dupe-keys'),
  'quality/fallthrough': warning('cases that run into the next', 'no-fallthrough'),
  'quality/constant-condition': warning('conditions that are always the same', 'no-constant-condition'),
  'quality/self-compare': error('values compared with themselves', 'no-self-compare'),
  'quality/useless-catch': warning('catches that only throw again', 'no-useless-catch'),
  'quality/async-executor': error('promises made with an async function', 'no-async-promise-executor'),
  'quality/unsafe-finally': error('a finally that hides what was thrown', 'no-unsafe-finally'),
  'quality/nan': error('comparisons with NaN', 'use-isnan'),
  'quality/debugger': error('debugger statements', 'no-debugger'),
};

const RULE_IDS = Object.keys(ANALYSIS_RULES);
export const ANALYSIS_RULE_GROUPS = [...new Set(RULE_IDS.map(groupOf))];

/** What each language may be called as well. */
const ALIASES: Readonly<Record<string, string>> = {
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  py: 'python',
  golang: 'go',
  rs: 'rust',
  rb: 'ruby',
  'c++': 'cpp',
  'c#': 'csharp',
};

/** Groups opened, each rule once, sorted; all for an empty list. @throws {AiUnknownRuleError} */
export function resolveRules(rules: readonly string[]): string[] {
  const wanted = rules.length === 0 ? ANALYSIS_RULE_GROUPS : rules;
  const unknown = wanted.filter(
    (it) => !ANALYSIS_RULE_GROUPS.includes(it) && !Object.hasOwn(ANALYSIS_RULES, it),
  );
  if (unknown.length > 0) throw new AiUnknownRuleError(unknown, [...ANALYSIS_RULE_GROUPS, ...RULE_IDS]);
  return RULE_IDS.filter((it) => wanted.includes(it) || wanted.includes(groupOf(it))).sort();
}

/** The language under its one name. @throws {AiUnknownLanguageError} */
export function resolveLanguage(language: string, known: readonly string[]): string {
  const name = language.trim().toLowerCase();
  const resolved = Object.hasOwn(ALIASES, name) ? (ALIASES[name] as string) : name;
  if (!known.includes(resolved)) throw new AiUnknownLanguageError(language, known);
  return resolved;
}

function groupOf(rule: string): string {
  return rule.slice(0, rule.indexOf('/'));
}
