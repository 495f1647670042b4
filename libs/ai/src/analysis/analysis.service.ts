import { type CacheNamespace } from '@peregrine/cache';
import { AiInputError } from '../ai.errors.js';
import { type CacheKeyGenerator } from '../keys/cache-key-generator.js';
import { normalisedCode } from '../keys/source-code.js';
import { AI_TTL_MS } from '../keys/ttl-policies.js';
import { type TokenUsage, type UsageOutcome, type UsageSink } from '../usage/usage-event.js';
import { type Analyser, type Analysis, type AnalysisInput, type Finding } from './analysis.js';
import { resolveLanguage, resolveRules } from './analysis-rules.js';

/** Bytes of one code at most, in UTF-8. */
export const MAX_CODE_BYTES = 1_048_576;
const MAX_FINDINGS = 1_000;

export interface AnalysisRequest {
  /** Whose result it is: nothing is shared between tenants. */
  readonly tenant: string;
  readonly code: string;
  readonly language: string;
  /** Rules and groups of rules; all when empty. */
  readonly rules?: readonly string[];
}

export interface AnalysisAnswer {
  readonly key: string;
  readonly analysis: Analysis;
  readonly source: 'hit' | 'miss' | 'coalesced';
}

/** As it is kept: with what it has cost. */
interface StoredAnalysis {
  readonly analysis: Analysis;
  readonly usage: TokenUsage;
}

export interface AnalysisDependencies {
  readonly analyser: Analyser;
  readonly cached: CacheNamespace;
  readonly keys: CacheKeyGenerator;
  readonly usage: UsageSink;
}

/** Analyses of code, made once for each code and set of rules, in all processes. What fails is not kept. */
export class AnalysisService {
  constructor(private readonly parts: AnalysisDependencies) {}

  get languages(): readonly string[] {
    return this.parts.analyser.languages;
  }

  /**
   * From the cache, or made now. Callers that want the same at the same time share one.
   *
   * @throws {AiInputError} {@link AiUnknownLanguageError} {@link AiUnknownRuleError} {@link AiAnalysisTimeoutError}, and what the
   *   client of a provider throws
   */
  async analyse(request: AnalysisRequest): Promise<AnalysisAnswer> {
    const { input, key } = this.#resolve(request);
    let made = false;
    const { cached, analyser } = this.parts;
    const before = await cached.get<StoredAnalysis>(key);
    const stored =
      before ??
      (await cached.getOrSet<StoredAnalysis>(
        key,
        async () => {
          made = true;
          const { findings, usage } = await analyser.analyse(input);
          return { analysis: analysisOf(input, analyser.model, findings), usage };
        },
        { ttlMs: AI_TTL_MS.analysis, singleFlight: 'cluster' },
      ));
    const source = before ? 'hit' : made ? 'miss' : 'coalesced';
    this.#count(source === 'miss' ? 'paid' : source, stored.usage);
    return { key, analysis: stored.analysis, source };
  }

  /** What the cache has; undefined when that is nothing. Makes nothing. @throws as {@link analyse}, of the request */
  async getAnalysis(request: AnalysisRequest): Promise<Analysis | undefined> {
    const stored = await this.parts.cached.get<StoredAnalysis>(this.#resolve(request).key);
    if (stored) this.#count('hit', stored.usage);
    return stored?.analysis;
  }

  /** Puts a result that was made elsewhere into the cache. @throws as {@link analyse}, of the request */
  async setAnalysis(
    request: AnalysisRequest,
    findings: readonly Finding[],
    usage: TokenUsage,
  ): Promise<Analysis> {
    const { input, key } = this.#resolve(request);
    const analysis = analysisOf(input, this.parts.analyser.model, findings);
    await this.parts.cached.set(key, { analysis, usage } satisfies StoredAnalysis, {
      ttlMs: AI_TTL_MS.analysis,
    });
    return analysis;
  }

  #resolve({ tenant, code, language, rules = [] }: AnalysisRequest): { input: AnalysisInput; key: string } {
    assertCode(code);
    const { analyser, keys } = this.parts;
    const input = {
      code: normalisedCode(code),
      language: resolveLanguage(language, analyser.languages),
      rules: resolveRules(rules),
    };
    return { input, key: keys.analysis({ tenant, ...input, model: analyser.model }) };
  }

  #count(outcome: UsageOutcome, usage: TokenUsage): void {
    const { promptTokens, cachedPromptTokens, completionTokens } = usage;
    const tokens = { promptTokens, cachedPromptTokens, completionTokens };
    this.parts.usage.record({
      kind: 'analysis',
      model: this.parts.analyser.name,
      outcome,
      results: 1,
      ...tokens,
    });
  }
}

function analysisOf(
  { code, language, rules }: AnalysisInput,
  model: string,
  found: readonly Finding[],
): Analysis {
  const findings = found.toSorted((left, right) => left.line - right.line || left.column - right.column);
  return {
    ...{ language, model, rules },
    findings: findings.slice(0, MAX_FINDINGS),
    isTruncated: findings.length > MAX_FINDINGS,
    lines: code.split('\n').length,
    errors: findings.filter((it) => it.severity === 'error').length,
    warnings: findings.filter((it) => it.severity === 'warning').length,
  };
}

/** @throws {AiInputError} */
function assertCode(code: string): void {
  if (code.trim() === '') throw new AiInputError('code', 'is empty; there is nothing to analyse');
  const bytes = Buffer.byteLength(code);
  if (bytes > MAX_CODE_BYTES) {
    throw new AiInputError(
      'code',
      `has ${bytes} bytes; at most ${MAX_CODE_BYTES} are analysed: cut it into files`,
    );
  }
}
