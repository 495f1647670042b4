import { type Statement } from '../analysis/statement.js';
import { LatencyHistogram } from '../statistics/latency-histogram.js';
import { type QueryGroup } from '../statistics/query-statistics.js';
import { PlanHistory, type PlanRegression } from './plan-history.js';
import { type CapturedRun } from './plan-sampler.js';
import { type ServerFigures } from './server-statistics.js';
import { type SlowQuery, type CapturedStatement } from './slow-query.js';
import { addTotals, NO_TOTALS, type StatementTotals, totalsOf, totalsSince } from './statement-totals.js';

const MAX_TAGS = 8;

/** One group of statements: what was counted before this process, by this process, and by the server. */
export class TrackedStatement {
  readonly plans = new PlanHistory();
  readonly #tags = new Set<string>();
  #before: StatementTotals = NO_TOTALS;
  #hourBegan: StatementTotals = NO_TOTALS;
  #keptCalls = 0;
  #group: QueryGroup | undefined;
  slowCalls = 0;
  lastSlowAt: Date | null = null;
  run: CapturedRun | undefined;
  /** The one that was explained last. */
  explained: CapturedRun | undefined;
  sampledAt = -Infinity;
  isQueued = false;
  planProblem: string | null = null;
  regression: PlanRegression | null = null;
  server: ServerFigures | null = null;

  constructor(
    readonly fingerprint: string,
    readonly sql: string,
    readonly kind: string,
  ) {}

  static of({ fingerprint, normalisedText, kind }: Statement): TrackedStatement {
    return new TrackedStatement(fingerprint, normalisedText, kind);
  }

  /** Of this process; it is not dropped while it is tracked. */
  set group(group: QueryGroup) {
    if (this.#group === group) return;
    this.#group = group;
    group.isKept = true;
  }

  forget(): void {
    if (this.#group) this.#group.isKept = false;
  }

  get isSlow(): boolean {
    return this.slowCalls + this.#before.slowCalls > 0;
  }

  /** Milliseconds of this process, of those before, or of all programs, whichever is most. */
  get weightMs(): number {
    const { sumMs = 0 } = this.#group?.latency ?? {};
    return Math.max(sumMs + this.#before.totalMs, this.server?.totalMs ?? 0);
  }

  restore(totals: StatementTotals, lastSlowAt: Date | null): void {
    this.#before = totals;
    this.lastSlowAt = lastSlowAt;
  }

  /** By the server. Other programs' runs are all that is known of a statement that this one never sends. */
  counted(statement: Statement, figures: ServerFigures): void {
    const { server } = this;
    const calls = figures.calls - (server?.calls ?? 0);
    const durationMs = calls > 0 ? (figures.totalMs - (server?.totalMs ?? 0)) / calls : figures.meanMs;
    this.server = figures;
    if (this.run?.parameters) return;
    if (!this.run || calls > 0) this.run = { statement, parameters: null, durationMs, at: performance.now() };
  }

  slow(tag: string | undefined): void {
    this.slowCalls++;
    this.lastSlowAt = new Date();
    if (tag !== undefined && this.#tags.size < MAX_TAGS) this.#tags.add(tag);
  }

  /** Counted since the hour began. */
  thisHour(): StatementTotals {
    return totalsSince(this.#now(), this.#hourBegan);
  }

  get hasUnkept(): boolean {
    return (this.#group?.latency.count ?? 0) - this.#hourBegan.calls !== this.#keptCalls;
  }

  /** @param calls of this hour that the history has now */
  kept(calls: number): void {
    this.#keptCalls = calls;
  }

  beginHour(): void {
    this.#hourBegan = this.#now();
    this.#keptCalls = 0;
  }

  toSlowQuery(thresholdMs: number): SlowQuery {
    const now = this.#now();
    const { server, plans } = this;
    const isOurs = now.calls + this.#before.calls > 0;
    const latency = new LatencyHistogram();
    addTotals(latency, this.#before);
    addTotals(latency, now);
    const calls = isOurs ? latency.count : (server?.calls ?? 0);
    const totalMs = isOurs ? latency.sumMs : (server?.totalMs ?? 0);
    return {
      fingerprint: this.fingerprint,
      sql: this.sql,
      kind: this.kind,
      tags: [...this.#tags],
      thresholdMs,
      source: isOurs ? 'application' : 'server',
      calls,
      slowCalls: now.slowCalls + this.#before.slowCalls,
      errors: now.errors + this.#before.errors,
      rows: isOurs ? now.rows + this.#before.rows : (server?.rows ?? 0),
      totalMs,
      meanMs: calls > 0 ? totalMs / calls : 0,
      p50Ms: isOurs ? latency.percentile(0.5) : null,
      p95Ms: isOurs ? latency.percentile(0.95) : null,
      p99Ms: isOurs ? latency.percentile(0.99) : null,
      maxMs: isOurs ? latency.maxMs : (server?.maxMs ?? 0),
      lastSlowAt: this.lastSlowAt,
      buffers: this.#buffers(),
      plans: plans.plans,
      planProblem: this.planProblem,
      regression: this.regression,
      server,
    };
  }

  toWorkload(): CapturedStatement | undefined {
    const { run, server } = this;
    if (!run) return undefined;
    const now = this.#now();
    return {
      id: this.fingerprint,
      text: run.statement.text,
      ...(run.parameters && { parameters: run.parameters }),
      calls: Math.max(now.calls + this.#before.calls, server?.calls ?? 0),
      totalMs: this.weightMs,
    };
  }

  #now(): StatementTotals {
    return this.#group ? totalsOf(this.#group, this.slowCalls) : NO_TOTALS;
  }

  #buffers(): SlowQuery['buffers'] {
    const sampled = this.plans.plans.findLast((it) => it.buffers)?.buffers;
    if (sampled) return { ...sampled, source: 'sample' };
    if (!this.server) return null;
    const { hitBlocks, readBlocks, tempWrittenBlocks, calls } = this.server;
    return {
      hitBlocks: hitBlocks / calls,
      readBlocks: readBlocks / calls,
      tempWrittenBlocks: tempWrittenBlocks / calls,
      source: 'server',
    };
  }
}
