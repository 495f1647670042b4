import { type Statement } from '../analysis/statement.js';
import { type Catalogue } from '../catalogue/catalogue.js';
import { type ResolvedStatement } from '../catalogue/resolved-statement.js';
import { ResultKeys } from './result-key.js';
import { type ResultScope } from './result-scope.js';
import { type LoadedRows, type ResultStore, type Rows } from './result-store.js';
import { sizeOf } from './row-size.js';
import { readTags } from './table-tags.js';

export interface ResultRequest {
  readonly statement: Statement;
  readonly parameters: readonly unknown[];
  readonly scope: ResultScope;
  readonly ttlMs: number;
  /** Of the caller's, besides those of the tables. */
  readonly tags?: readonly string[] | undefined;
  /** The caller has limits of its own, so its failure says nothing to those that wait for the same. @default false */
  readonly isLimited?: boolean;
}

export interface ResultAnswer {
  readonly rows: Rows;
  readonly isHit: boolean;
}

export interface ResultCacheStatistics {
  readonly hits: number;
  readonly misses: number;
  /** Statements that were not looked up, by reason. */
  readonly bypassed: Readonly<Record<string, number>>;
  readonly tooLarge: number;
}

const CUSTOM_TAG = 'x';

/** Answers of statements that only read, valid until something that they read is written. */
export class ResultCache {
  #hits = 0;
  #misses = 0;
  #tooLarge = 0;
  readonly #keys = new ResultKeys();
  readonly #bypassed = new Map<string, number>();
  /** Errors that are their caller's own. */
  readonly #personal = new WeakSet();

  /** @param maxResultBytes larger results are handed out, but not kept */
  constructor(
    private readonly store: ResultStore,
    private readonly catalogue: Catalogue,
    private readonly database: string,
    private readonly maxResultBytes: number,
  ) {}

  /** Waits for nothing when the answer is at hand. @throws what `load` throws */
  getOrLoad(request: ResultRequest, load: () => Promise<Rows>): ResultAnswer | Promise<ResultAnswer> {
    const { statement, parameters, scope } = request;
    const { schemaVersion } = this.catalogue.snapshot;
    const resolved = this.catalogue.resolve(statement, scope.searchPath);
    const reason = this.#reasonToBypass(resolved, scope);
    const origin = { database: this.database, schemaVersion };
    const key = reason ? undefined : this.#keys.of(resolved, parameters, scope, origin);
    if (key === undefined) {
      this.bypass(reason ?? 'PARAMETERS');
      return load().then((rows) => ({ rows, isHit: false }));
    }
    const rows = this.store.peek?.(key);
    if (!rows) return this.#ask(key, resolved, request, load);
    this.#hits++;
    return { rows, isHit: true };
  }

  async #ask(
    key: string,
    resolved: ResolvedStatement,
    request: ResultRequest,
    load: () => Promise<Rows>,
  ): Promise<ResultAnswer> {
    const { parameters, ttlMs, tags = [] } = request;
    const all = [...readTags(resolved, parameters), ...tags.map((it) => CUSTOM_TAG + it)];
    const answer = await this.#share(request, (loading) =>
      this.store.getOrLoad(key, all, ttlMs, () => loading(() => this.#load(load))),
    );
    if (answer.isHit) this.#hits++;
    else this.#misses++;
    return answer;
  }

  /** Whoever waited for another's load that failed by the other's limits asks again. */
  async #share<T>(
    { isLimited = false }: ResultRequest,
    ask: (loading: <L>(load: () => Promise<L>) => Promise<L>) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      let isOurs = false;
      const loading = async <L>(load: () => Promise<L>): Promise<L> => {
        isOurs = true;
        try {
          return await load();
        } catch (error) {
          // Before those that wait for it learn of it.
          if (isLimited && error instanceof Object) this.#personal.add(error);
          throw error;
        }
      };
      try {
        return await ask(loading);
      } catch (error) {
        if (isOurs || !(error instanceof Object) || !this.#personal.has(error)) throw error;
      }
    }
  }

  async #load(load: () => Promise<Rows>): Promise<LoadedRows> {
    const rows = await load();
    const isTooLarge = sizeOf(rows, this.maxResultBytes) > this.maxResultBytes;
    if (isTooLarge) this.#tooLarge++;
    return { rows, isStorable: !isTooLarge && !this.catalogue.isOutdated };
  }

  /** Counts a statement that was not looked up. */
  bypass(reason: string): void {
    this.#bypassed.set(reason, (this.#bypassed.get(reason) ?? 0) + 1);
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    await this.store.invalidate(tags.map((it) => CUSTOM_TAG + it));
  }

  async clear(): Promise<void> {
    await this.store.clear();
  }

  statistics(): ResultCacheStatistics {
    return {
      hits: this.#hits,
      misses: this.#misses,
      bypassed: Object.fromEntries(this.#bypassed),
      tooLarge: this.#tooLarge,
    };
  }

  /** What a policy asks the session for is not in the text; whoever sets it has to say it. */
  #reasonToBypass(
    { uncacheable, readsRowSecurity }: ResolvedStatement,
    { variables }: ResultScope,
  ): string | undefined {
    if (this.catalogue.isOutdated) return 'SCHEMA_CHANGING';
    const isSessionKnown = variables !== undefined;
    for (const { code } of uncacheable) if (!isSessionKnown || code !== 'SESSION_DEPENDENT') return code;
    return readsRowSecurity && !isSessionKnown ? 'ROW_SECURITY' : undefined;
  }
}
