import { type Statement } from '../analysis/statement.js';
import { type OwnStatements } from '../execution/own-statements.js';
import { problemText } from '../execution/problem-text.js';
import { type QueryGroup, type QueryStatistics } from '../statistics/query-statistics.js';
import { type QueryOutcome, type TappedQuery } from '../tap/query-observer.js';
import { parameterBytes } from './parameter-size.js';
import { type PlanRegression } from './plan-history.js';
import { type CapturedRun, hasPlan, PlanSampler } from './plan-sampler.js';
import { PlanWatch } from './plan-watch.js';
import { readServerStatistics, type ServerStatistics } from './server-statistics.js';
import {
  type Degradation,
  type SlowQueryCounts,
  type SlowQueryReport,
  type CapturedStatement,
} from './slow-query.js';
import { SlowQueryHistory, type SlowQueryHour } from './slow-query-history.js';
import { SlowQueryKeeper } from './slow-query-keeper.js';
import { type SlowQueriesOptions } from './slow-query.options.js';
import { type TrackedStatement } from './tracked-statement.js';
import { TrackedStatements } from './tracked-statements.js';

export interface SlowQueriesInput {
  readonly options: SlowQueriesOptions;
  readonly own: OwnStatements;
  readonly statistics: QueryStatistics;
  /** It only reads, and nothing that it calls has effects. */
  isRepeatable(statement: Statement): boolean;
  /** It runs with settings of its own now, so what it takes says nothing of its plan. */
  isShaped(fingerprint: string): boolean;
  /** A plan became worse, or still is. @param run of the statement */
  regressed(regression: PlanRegression, run: CapturedRun): void;
}

/** Of all runs one in so many is kept to be explained, also when it is not slow: to know the plan of the good days. */
const CAPTURE_EVERY = 64;
/** One that is younger is as good: of a statement that runs a thousand times a second none is kept in between. */
const CAPTURE_AGAIN_MS = 1_000;
const MAX_CAPTURED_BYTES = 64 * 1024;
const REPORTED = 20;
/** pg_stat_statements is large: it is read every sixth time. */
const REFRESHES_A_SERVER_READ = 6;
const SERVER_TIMEOUT_MS = 5_000;

/**
 * Which statements are slow, for whom, with which plans, and since when. On the way of a query it costs two comparisons; all
 * else happens behind it, at low priority and within limits. Bounded in memory.
 */
export class SlowQueries {
  readonly #tracked: TrackedStatements;
  readonly #watch: PlanWatch;
  readonly #keeper: SlowQueryKeeper;
  readonly #lowestMs: number;
  readonly #degraded = new Map<Degradation['part'], string>();
  #server: ServerStatistics | undefined;
  #slowRuns = 0;
  #refreshes = 0;
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | undefined;
  #isStopped = false;

  constructor(private readonly input: SlowQueriesInput) {
    const { options, own } = input;
    const { thresholdMs, thresholds, maxStatements, sample, history } = options;
    this.#lowestMs = options.enabled ? Math.min(thresholdMs, ...Object.values(thresholds)) : Infinity;
    this.#tracked = new TrackedStatements(maxStatements);
    const sampler = new PlanSampler({
      ...sample,
      own,
      isRepeatable: (it) => input.isRepeatable(it),
    });
    this.#watch = new PlanWatch(sampler, sample, (...it) => input.regressed(...it));
    const store = new SlowQueryHistory({ ...history, own, maxStatements });
    this.#keeper = new SlowQueryKeeper(store, this.#tracked);
  }

  /** Reads the history, and begins to refresh. What cannot be read is in the report, with its reason. */
  async start(): Promise<void> {
    if (!this.input.options.enabled) return;
    await this.#startKeeping();
    if (!this.#isStopped) this.#schedule();
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#watch.stop();
    await this.#refreshing;
    await this.#watch.settled();
    if (this.#keeper.isKeeping) await this.#try('history', () => this.#keeper.keep());
  }

  /** Told of every run, after it was counted. */
  ran(group: QueryGroup, query: TappedQuery, outcome: QueryOutcome): void {
    const { durationMs } = outcome;
    if (durationMs >= this.#lowestMs) this.#long(group, query, durationMs);
    else if (group.latency.count % CAPTURE_EVERY === 1 && this.#lowestMs !== Infinity)
      this.#captureOrdinary(group, query, outcome);
  }

  /** Reads pg_stat_statements, writes the history, and asks for plans that are missing: what else happens by itself. */
  async refresh(): Promise<void> {
    this.#refreshing = this.#refreshAll(true);
    await this.#refreshing;
  }

  /** Resolves when no plan is being asked for. */
  settled(): Promise<void> {
    return this.#watch.settled();
  }

  report(limit = REPORTED): SlowQueryReport {
    const { thresholdMs } = this.input.options;
    const queries = this.#tracked
      .all()
      .filter((it) => it.isSlow || (it.server?.meanMs ?? 0) >= this.#thresholdOf(it.fingerprint))
      .sort((a, b) => b.weightMs - a.weightMs)
      .slice(0, limit)
      .map((it) => it.toSlowQuery(this.#thresholdOf(it.fingerprint)));
    return {
      thresholdMs,
      queries,
      ...this.counts,
      serverSince: this.#server?.since ?? null,
      degraded: [...this.#degraded].map(([part, reason]) => ({ part, reason })),
    };
  }

  get counts(): SlowQueryCounts {
    return {
      slowRuns: this.#slowRuns,
      planSamples: this.#watch.samples,
      regressions: this.#watch.regressions,
    };
  }

  /** By hour, of all processes; without what is not written yet, which is a matter of `refreshMs`. @throws the driver's error */
  hours(fingerprint: string): Promise<readonly SlowQueryHour[]> {
    return this.#keeper.hours(fingerprint);
  }

  /** Everything that was captured, slow or not, for an advisor or a replay. Most time in all first. */
  workload(): CapturedStatement[] {
    return this.#tracked
      .all()
      .map((it) => it.toWorkload())
      .filter((it) => it !== undefined)
      .sort((a, b) => b.totalMs - a.totalMs);
  }

  /** Of a table, by the name that the statements give it; undefined when no update of it was captured. */
  updatedColumns(schema: string, table: string): ReadonlySet<string> | undefined {
    const updates = this.#tracked
      .all()
      .flatMap((it) => it.run?.statement.writes ?? [])
      .filter(({ relation, operations }) => {
        const isIt = relation.name === table && (relation.schema ?? schema) === schema;
        return isIt && (operations.includes('update') || operations.includes('insert'));
      })
      .filter((it) => it.updatedColumns.length > 0);
    return updates.length > 0 ? new Set(updates.flatMap((it) => it.updatedColumns)) : undefined;
  }

  #thresholdOf(fingerprint: string, tag?: string): number {
    const { thresholds, thresholdMs } = this.input.options;
    return thresholds[fingerprint] ?? (tag === undefined ? undefined : thresholds[tag]) ?? thresholdMs;
  }

  #long(group: QueryGroup, query: TappedQuery, durationMs: number): void {
    const { statement, tag } = query;
    if (!statement || statement.kind === 'transaction') return;
    if (durationMs < this.#thresholdOf(statement.fingerprint, tag)) return;
    this.#slowRuns++;
    const track = this.#tracked.admit(statement);
    track.group =
      group.fingerprint === statement.fingerprint ? group : this.input.statistics.admit(statement);
    track.slow(tag);
    const run = this.#capture(track, query, durationMs);
    if (run) this.#watch.slow(track, run);
  }

  #captureOrdinary(group: QueryGroup, query: TappedQuery, { durationMs, error }: QueryOutcome): void {
    const { statement } = query;
    if (!statement || error || group.fingerprint !== statement.fingerprint || !hasPlan(statement)) return;
    const track = this.#tracked.admitIfRoom(statement);
    if (!track) return;
    track.group = group;
    if (track.run?.parameters && performance.now() - track.run.at < CAPTURE_AGAIN_MS) return;
    this.#capture(track, query, durationMs);
  }

  /** @returns undefined when it cannot be explained */
  #capture(
    track: TrackedStatement,
    { statement, parameters, session }: TappedQuery,
    durationMs: number,
  ): CapturedRun | undefined {
    if (!statement || !hasPlan(statement) || this.input.isShaped(statement.fingerprint)) return undefined;
    if (session.hasOtherNames) track.planProblem = 'its session had another search path or role';
    else if (parameterBytes([statement.text, ...parameters], MAX_CAPTURED_BYTES) > MAX_CAPTURED_BYTES)
      track.planProblem = 'its text and parameters are too large to be kept';
    else {
      track.run = { statement, parameters: [...parameters], durationMs, at: performance.now() };
      return track.run;
    }
    return undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#refreshing = this.#refreshAll(this.#refreshes++ % REFRESHES_A_SERVER_READ === 0).then(() => {
        if (!this.#isStopped) this.#schedule();
      });
    }, this.input.options.refreshMs).unref();
  }

  async #refreshAll(alsoServer: boolean): Promise<void> {
    this.#tracked.makeRoom();
    if (alsoServer && this.input.options.serverStatistics) await this.#readServer();
    // A migration may have made the tables meanwhile, or somebody has given the right.
    if (alsoServer && !this.#keeper.isKeeping) await this.#startKeeping();
    this.#watch.ordinary(this.#tracked.all());
    if (this.#keeper.isKeeping) await this.#try('history', () => this.#keeper.keep());
  }

  async #startKeeping(): Promise<void> {
    const { install } = this.input.options.history;
    await this.#try('history', () => this.#keeper.start(install));
  }

  async #readServer(): Promise<void> {
    await this.#try('server statistics', async () => {
      const server = await this.input.own.read({ timeoutMs: SERVER_TIMEOUT_MS }, readServerStatistics);
      this.#server = server;
      for (const { statement, figures } of server.statements) {
        const isSlow = figures.meanMs >= this.#thresholdOf(statement.fingerprint);
        const track = isSlow ? this.#tracked.admit(statement) : this.#tracked.admitIfRoom(statement);
        track?.counted(statement, figures);
      }
      return server.problem;
    });
  }

  /** @param work returns why it was not done, or not wholly; null when it was */
  async #try(part: Degradation['part'], work: () => Promise<string | null>): Promise<void> {
    let problem: string | null;
    try {
      problem = await work();
    } catch (error) {
      problem = problemText(error);
    }
    if (problem === null) this.#degraded.delete(part);
    else this.#degraded.set(part, problem);
  }
}
