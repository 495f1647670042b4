import { randomUUID } from 'node:crypto';
import { type Client } from 'pg';
import { type AdaptiveIndexing } from './adaptive/adaptive-indexing.js';
import { analyse } from './analysis/analyse.js';
import { loadAnalyser } from './analysis/parser.js';
import { type Statement } from './analysis/statement.js';
import { type RelationName } from './analysis/relation-name.js';
import { type CatalogueRelation } from './catalogue/snapshot.js';
import { Catalogue } from './catalogue/catalogue.js';
import { ORIGIN_SETTING } from './changes/change-triggers.js';
import { CachedReads } from './execution/cached-reads.js';
import { type ExecuteOptions, type QueryAnswer } from './execution/execute-options.js';
import { assertParameters } from './execution/query-parameters.js';
import { streamRows } from './execution/row-stream.js';
import { assertVariables } from './execution/session-variables.js';
import { explainCancellation } from './execution/statement-timeout.js';
import { ReadRouter } from './execution/read-router.js';
import { TappedServer } from './execution/tapped-server.js';
import { type IndexAnalysisOptionsInput } from './index-analysis/index-analysis.options.js';
import { type IndexReport } from './index-analysis/index-finding.js';
import { allRows, type Loader, singleRows } from './loaders/loader.js';
import { type LoaderOptionsInput, parseLoaderOptions } from './loaders/loader.options.js';
import { type LoaderSource, RowLoader } from './loaders/row-loader.js';
import { NPlusOneDetector } from './n-plus-one/n-plus-one-detector.js';
import { type NPlusOneFinding } from './n-plus-one/n-plus-one-finding.js';
import { type PlanGuard } from './plan-guard/plan-guard.js';
import { type PriorityPool } from './pool/priority-pool.js';
import { QueryUnknownTableError } from './query-optimizer.errors.js';
import {
  parseQueryOptimizerOptions,
  type QueryOptimizerOptions,
  type QueryOptimizerOptionsInput,
} from './query-optimizer.options.js';
import { type CachedStatement, CachedStatements } from './result-cache/cached-statements.js';
import { Coherence } from './result-cache/coherence.js';
import { MemoryResultStore } from './result-cache/memory-result-store.js';
import { openReplicas } from './replicas/open-replicas.js';
import { type ReplicaSet } from './replicas/replica-set.js';
import { ObservedStore } from './result-cache/observed-store.js';
import { ResultCache } from './result-cache/result-cache.js';
import { type Rows } from './result-cache/result-store.js';
import { WriteCounts } from './result-cache/write-counts.js';
import { type SlowQueries } from './slow-queries/slow-queries.js';
import { Insight } from './statistics/insight.js';
import { type MetricFamily, metricFamilies } from './statistics/metric-families.js';
import { type OptimizerReport, reportQueries } from './statistics/optimizer-report.js';
import { type QueryFigures, QueryStatistics } from './statistics/query-statistics.js';
import { direct, QueryTap } from './tap/query-tap.js';
import { statementSpan } from './tracing/statement-spans.js';

const KEPT_FINDINGS = 20;

/**
 * Every query through one place: results that stay right, connections by priority, figures, and loops found. Made by
 * {@link createQueryOptimizer}, or by the module.
 */
export class QueryOptimizer {
  /** As a source of metrics. */
  readonly name = 'query-optimizer';
  readonly detector: NPlusOneDetector;
  readonly #cache: ResultCache;
  readonly #cached: CachedStatements;
  readonly #catalogue: Catalogue;
  readonly #coherence: Coherence;
  readonly #insight: Insight;
  readonly #loaders: LoaderSource;
  readonly #primary: TappedServer;
  readonly #reads: CachedReads;
  readonly #replicas: ReplicaSet | undefined;
  readonly #router: ReadRouter;
  readonly #statistics = new QueryStatistics((...run) => this.slowQueries.ran(...run));
  readonly #writeCounts = new WriteCounts();
  readonly #findings: NPlusOneFinding[] = [];

  private constructor(private readonly options: QueryOptimizerOptions) {
    const { cache } = options;
    const { connectionString } = options.pool;
    const origin = randomUUID();
    const pool = { ...options.pool, session: { ...options.pool.session, [ORIGIN_SETTING]: origin } };
    const searchPath = () => this.#catalogue.session.searchPath;
    this.detector = new NPlusOneDetector({ ...options.nPlusOne, onFinding: (it) => this.#keep(it) });
    this.#catalogue = new Catalogue({ connect: () => this.#primary.unseenClient() }, options.searchPath);
    const told = options.onStatement ? [{ started: options.onStatement }] : [];
    const onlyReads = [this.#statistics, this.detector, { started: statementSpan }, ...told];
    // Each knows the others: what is read goes over the router, what is written to the store.
    const tap = new QueryTap(
      [{ started: (it) => this.#coherence.writes.started(it) }, ...onlyReads],
      [{ answer: (...it) => this.#cached.answer(...it) }, { answer: (...it) => this.#router.answer(...it) }],
      () => this.planGuard,
    );
    this.#primary = new TappedServer(pool, tap);
    this.#replicas = openReplicas(options, pool, this.#primary, new QueryTap(onlyReads));
    this.#router = new ReadRouter(this.#primary, this.#replicas, this.#catalogue, searchPath);
    const observers = [this.#writeCounts, ...(this.#replicas ? [this.#replicas.writes] : [])];
    const store = new ObservedStore(options.store ?? new MemoryResultStore(), observers);
    this.#coherence = new Coherence({
      ...{ options: cache, store, catalogue: this.#catalogue, connectionString, origin, searchPath },
      connectTimeoutMs: this.pool.options.connectTimeoutMs,
      hasBackend: (processId) => this.#hasBackend(processId),
    });
    const { host, pathname } = new URL(connectionString);
    this.#cache = new ResultCache(store, this.#catalogue, host + pathname, cache.maxResultBytes);
    this.#cached = new CachedStatements(this.#cache, {
      ...{ policy: cache.policy, ttlMs: cache.ttlMs },
      scope: () => this.#catalogue.session,
      isEnabled: (statement) => this.#reads.isEnabled(statement),
    });
    this.#reads = new CachedReads(this.#cache, this.#coherence, cache, () => this.#catalogue.session);
    this.#loaders = this.#loaderSource(searchPath);
    this.#insight = new Insight({
      ...{ options, tap, pool: this.pool, statistics: this.#statistics },
      isRepeatable: (it) => this.#router.isRepeatable(it),
    });
  }

  /** What takes long, with its plans and its history. */
  get slowQueries(): SlowQueries {
    return this.#insight.slowQueries;
  }

  /** What runs with settings of its own, because its plan became worse. */
  get planGuard(): PlanGuard {
    return this.#insight.planGuard;
  }

  /** Indexes that would help, and, if it may, their building: round after round. */
  get adaptiveIndexing(): AdaptiveIndexing {
    return this.#insight.adaptiveIndexing;
  }

  /** Of the primary. */
  get pool(): PriorityPool {
    return this.#primary.pool;
  }

  /**
   * Connects, reads the schema and begins to listen.
   *
   * @throws {InvalidQueryOptimizerOptionsError} {@link InvalidPoolOptionsError}, {@link QueryCatalogueError}
   */
  static async start(input: QueryOptimizerOptionsInput): Promise<QueryOptimizer> {
    const optimizer = new QueryOptimizer(parseQueryOptimizerOptions(input));
    try {
      await optimizer.#start();
      return optimizer;
    } catch (error) {
      await optimizer.close();
      throw error;
    }
  }

  /**
   * One statement. Its rows are shared and frozen when it is cached.
   *
   * @throws {QueryMultipleStatementsError} {@link QuerySyntaxError}, {@link QueryParameterCountError},
   * {@link QueryParameterError}, {@link QueryVariableError}: nothing was sent
   * @throws {QueryTimeoutError} {@link PoolTimeoutError}, {@link PoolExhaustedError}, and the driver's errors
   */
  async execute<R = Readonly<Record<string, unknown>>>(
    sql: string,
    parameters: readonly unknown[] = [],
    options: ExecuteOptions = {},
  ): Promise<QueryAnswer<R>> {
    const startedAt = performance.now();
    const statement = analyse(sql);
    if (statement.syntaxError) throw statement.syntaxError;
    assertParameters(statement, parameters);
    if (options.variables) assertVariables(options.variables);
    const kept = this.#reads.wanted(statement, options);
    try {
      // What is not cached has no promise more than it needs.
      const answer = kept
        ? await this.#reads.read(statement, parameters, kept, options, () =>
            this.#rowsOf(statement, parameters, options),
          )
        : await this.#router.send(statement, parameters, options);
      return {
        rows: answer.rows as readonly R[],
        durationMs: performance.now() - startedAt,
        source: 'isHit' in answer && answer.isHit ? 'cache' : 'database',
      };
    } catch (error) {
      // What is shared with others keeps the stack of whoever sent it.
      if (!kept) stackFromHere(error);
      const { statementTimeoutMs } = this.pool.options;
      throw explainCancellation(error, statementTimeoutMs, performance.now() - startedAt);
    }
  }

  /**
   * The rows of a SELECT one after the other, however many; a thousand at a time are in memory. Never cached. Holds a
   * connection until the loop ends or is left.
   *
   * @throws {QueryNotStreamableError} and as `execute`
   */
  async *stream<R = Readonly<Record<string, unknown>>>(
    sql: string,
    parameters: readonly unknown[] = [],
    options: Pick<ExecuteOptions, 'priority' | 'signal'> = {},
  ): AsyncGenerator<R, void, undefined> {
    const statement = analyse(sql);
    if (statement.syntaxError) throw statement.syntaxError;
    assertParameters(statement, parameters);
    yield* streamRows<R>(this.pool, statement, parameters, options);
  }

  /**
   * Drops every result that reads the table, also through views.
   *
   * @throws {QueryUnknownTableError}
   */
  async invalidateTable(table: string | RelationName): Promise<void> {
    const name = typeof table === 'string' ? { schema: null, name: table } : table;
    // What it does not know may be new.
    if (!this.#catalogue.find(name, this.#catalogue.session.searchPath))
      await this.#catalogue.refreshIfChanged();
    const found = this.#tableNamed(name);
    await this.#coherence.changed(found.oid);
  }

  /**
   * A row by its key; keys that are asked for together, within one `withLoaders`, are one statement.
   *
   * @example const authors = optimizer.loaderFor<Author>({ table: 'author', key: 'id' });
   * @throws {QueryLoaderOptionsError}
   */
  loaderFor<R = Readonly<Record<string, unknown>>>(options: LoaderOptionsInput): Loader<R | null> {
    const parsed = parseLoaderOptions(options);
    return singleRows<R>(new RowLoader(this.#loaders, parsed), parsed);
  }

  /** All rows of a key. @see {@link loaderFor} */
  rowsLoaderFor<R = Readonly<Record<string, unknown>>>(options: LoaderOptionsInput): Loader<readonly R[]> {
    return allRows<R>(new RowLoader(this.#loaders, parseLoaderOptions(options)));
  }

  /** Drops every result that was executed with one of the tags. */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    await this.#cache.invalidateTags(tags);
  }

  /** For the adapter of TypeORM: the next statement on the connection is cached, if it has this text. */
  markCached(client: Client, text: string, options: CachedStatement): void {
    this.#cached.mark(client, text, options);
  }

  /** Drops every result. */
  async clear(): Promise<void> {
    await this.#cache.clear();
  }

  /**
   * Resolves when this process knows what others had committed before the call, to tables with the triggers of
   * {@link installChangeTriggers}: reads that follow are not older.
   *
   * @throws {QueryNotListeningError}
   */
  async catchUp(): Promise<void> {
    await this.#coherence.catchUp();
  }

  /** The figures of every group of statements that is kept, a thousand at most; those with the most time in all first. */
  queries(): QueryFigures[] {
    return this.#statistics.top(Infinity);
  }

  /**
   * Looks at all indexes of the database; the report has the answer from then on. Never fails for what the server refuses:
   * that is in `degraded`.
   *
   * @throws {InvalidQueryOptimizerOptionsError}
   */
  async analyseIndexes(options: IndexAnalysisOptionsInput = {}): Promise<IndexReport> {
    return this.#insight.analyseIndexes(options);
  }

  report(): OptimizerReport {
    return {
      cache: this.#cache.statistics(),
      ...reportQueries(this.#statistics),
      pool: this.pool.statistics(),
      replicas: this.#replicas?.report() ?? null,
      nPlusOne: { ...this.detector.counts, latest: [...this.#findings] },
      ...this.#insight.report(),
    };
  }

  /** Figures for a scrape; waits for nothing. */
  collect(): MetricFamily[] {
    const families = metricFamilies({
      latency: this.#statistics.latency,
      errors: this.#statistics.errors,
      cache: this.#cache.statistics(),
      pool: this.pool.statistics(),
      replicas: this.#replicas?.report() ?? null,
      nPlusOne: this.detector.counts.found,
      ...this.#insight.figures(),
    });
    return [...families, ...this.adaptiveIndexing.collect()];
  }

  /** A health check of the primary: one round trip, ahead of all others. @throws what `execute` throws, the signal's reason */
  async ready(signal?: AbortSignal): Promise<void> {
    await this.pool.query(direct('SELECT 1'), [], { priority: 'high', signal });
  }

  async close(): Promise<void> {
    await this.adaptiveIndexing.stop();
    await this.slowQueries.stop();
    await this.#coherence.stop();
    await this.#replicas?.close();
    await this.pool.close();
  }

  async #start(): Promise<void> {
    await loadAnalyser();
    // Its tables belong to the schema that is read next.
    await this.slowQueries.start();
    const readAt = performance.now();
    await this.#catalogue.refresh();
    await this.#coherence.start(readAt);
    this.#replicas?.start();
  }

  #loaderSource(searchPath: () => readonly string[]): LoaderSource {
    const catalogue = this.#catalogue;
    return {
      get schemaVersion() {
        return catalogue.version;
      },
      table: (name) => this.#tableNamed(name),
      changes: (it) => this.#writeCounts.of(catalogue.resolve(it, searchPath()).reads),
      send: (statement, parameters) => this.#rowsOf(statement, parameters, {}),
      read: async (statement, parameters, options, load) => {
        const kept = this.#reads.wanted(statement, options);
        return kept ? (await this.#reads.read(statement, parameters, kept, options, load)).rows : load();
      },
    };
  }

  async #rowsOf(
    statement: Statement,
    parameters: readonly unknown[],
    options: ExecuteOptions,
  ): Promise<Rows> {
    try {
      return (await this.#router.send(statement, parameters, options)).rows;
    } catch (error) {
      stackFromHere(error);
      throw error;
    }
  }

  /** @throws {QueryUnknownTableError} */
  #tableNamed(name: RelationName): CatalogueRelation {
    const { searchPath } = this.#catalogue.session;
    const found = this.#catalogue.find(name, searchPath);
    if (!found) throw new QueryUnknownTableError(name.name, searchPath);
    return found;
  }

  async #hasBackend(processId: number): Promise<boolean> {
    const found = await this.#primary.unseen('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [processId]);
    return found.length > 0;
  }

  #keep(finding: NPlusOneFinding): void {
    this.#findings.unshift(finding);
    this.#findings.splice(KEPT_FINDINGS);
    this.options.nPlusOne.onFinding?.(finding);
  }
}

/** Of the caller, instead of that of the socket, which nobody can do anything with. */
function stackFromHere(error: unknown): void {
  if (error instanceof Error) Error.captureStackTrace(error);
}
