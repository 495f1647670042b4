import { type Statement } from '../analysis/statement.js';
import { type QueryOptimizerOptions } from '../query-optimizer.options.js';
import { type Coherence } from '../result-cache/coherence.js';
import { type CachedStatement } from '../result-cache/cached-statements.js';
import { type ResultAnswer, type ResultCache, type ResultRequest } from '../result-cache/result-cache.js';
import { type ResultScope } from '../result-cache/result-scope.js';
import { type Rows } from '../result-cache/result-store.js';
import { type ExecuteOptions } from './execute-options.js';

/** What is asked of the cache first: where the caller, or a policy, says so, and while it can be trusted. */
export class CachedReads {
  constructor(
    private readonly cache: ResultCache,
    private readonly coherence: Coherence,
    private readonly options: Pick<QueryOptimizerOptions['cache'], 'enabled' | 'policy' | 'ttlMs'>,
    private readonly scope: () => ResultScope,
  ) {}

  /** How the caller, or a policy, wants it to be kept; undefined: it is not looked up. Counts a no. */
  wanted(statement: Statement, options: ExecuteOptions): CachedStatement | undefined {
    const kept = options.cache ? options : this.options.policy?.(statement);
    const isRead = statement.kind === 'select' && !statement.locksRows;
    return kept && isRead && this.isEnabled(statement) ? kept : undefined;
  }

  /**
   * Waits for nothing when the answer is at hand.
   *
   * @param kept what {@link wanted} said
   * @param load where it is not in the cache. @throws what `load` throws
   */
  read(
    statement: Statement,
    parameters: readonly unknown[],
    kept: CachedStatement,
    options: ExecuteOptions,
    load: () => Promise<Rows>,
  ): ResultAnswer | Promise<ResultAnswer> {
    return this.cache.getOrLoad(this.#request(statement, parameters, kept, options), load);
  }

  /** Counts a no. */
  isEnabled({ fingerprint }: Statement): boolean {
    const { enabled } = this.options;
    const isOn = typeof enabled === 'function' ? enabled(fingerprint) : enabled;
    const reason = isOn ? this.coherence.reasonToDistrust : 'DISABLED';
    if (reason) this.cache.bypass(reason);
    return reason === undefined;
  }

  #request(
    statement: Statement,
    parameters: readonly unknown[],
    kept: CachedStatement,
    {
      ttlMs = kept.ttlMs ?? this.options.ttlMs,
      tags = kept.tags,
      variables,
      timeoutMs,
      signal,
    }: ExecuteOptions,
  ): ResultRequest {
    const scope = variables ? { ...this.scope(), variables } : this.scope();
    const isLimited = timeoutMs !== undefined || signal !== undefined;
    return { statement, parameters, scope, ttlMs, tags, isLimited };
  }
}
