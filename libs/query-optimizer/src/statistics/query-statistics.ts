import { type Statement } from '../analysis/statement.js';
import {
  type QueryEnd,
  type QueryObserver,
  type QueryOutcome,
  type TappedQuery,
} from '../tap/query-observer.js';
import { LatencyHistogram } from './latency-histogram.js';

/** One group of statements that differ in constants, comments and layout only. Durations in milliseconds. */
export interface QueryFigures {
  readonly fingerprint: string;
  readonly sql: string;
  readonly kind: string;
  readonly calls: number;
  readonly errors: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface QueryGroup {
  readonly fingerprint: string;
  readonly sql: string;
  readonly kind: string;
  readonly latency: LatencyHistogram;
  errors: number;
  rows: number;
  /** Somebody looks at it, so it stays. */
  isKept: boolean;
}

const MAX_GROUPS = 1_000;
const UNKNOWN = { fingerprint: 'unknown', normalisedText: '(not one statement)', kind: 'unknown' } as const;
const OTHERS = {
  fingerprint: 'others',
  normalisedText: '(more groups than are kept)',
  kind: 'unknown',
} as const;

/** What every statement that reached PostgreSQL took, by group. Bounded: what comes after the first groups is one. */
export class QueryStatistics implements QueryObserver {
  readonly latency = new LatencyHistogram();
  readonly #groups = new Map<string, QueryGroup>();
  #errors = 0;

  /** @param ran told of every run, after it was counted; must cost next to nothing */
  constructor(
    private readonly ran?: (group: QueryGroup, query: TappedQuery, outcome: QueryOutcome) => void,
  ) {}

  started(query: TappedQuery): QueryEnd {
    const { statement } = query;
    return (outcome) => {
      const { durationMs, rowCount, error } = outcome;
      const group = this.#groupOf(statement ?? UNKNOWN);
      this.latency.add(durationMs);
      group.latency.add(durationMs);
      group.rows += rowCount;
      if (error) {
        group.errors++;
        this.#errors++;
      }
      this.ran?.(group, query, outcome);
    };
  }

  /** The group of a statement that must have one: in the place of the one that took the least time, if need be. */
  admit(statement: Statement): QueryGroup {
    const known = this.#groups.get(statement.fingerprint);
    if (known) return known;
    if (this.#groups.size >= MAX_GROUPS) {
      const [least] = [...this.#groups.values()]
        .filter((it) => !it.isKept)
        .sort((a, b) => a.latency.sumMs - b.latency.sumMs);
      if (least) this.#groups.delete(least.fingerprint);
    }
    return this.#add(statement);
  }

  get errors(): number {
    return this.#errors;
  }

  /** Those that took the most time together, first. */
  top(count: number): QueryFigures[] {
    return [...this.#groups.values()]
      .sort((a, b) => b.latency.sumMs - a.latency.sumMs)
      .slice(0, count)
      .map(({ fingerprint, sql, kind, latency, errors, rows }) => ({
        fingerprint,
        sql,
        kind,
        calls: latency.count,
        errors,
        rows,
        totalMs: latency.sumMs,
        meanMs: latency.sumMs / latency.count,
        p50Ms: latency.percentile(0.5),
        p95Ms: latency.percentile(0.95),
        p99Ms: latency.percentile(0.99),
        maxMs: latency.maxMs,
      }));
  }

  #groupOf(statement: Pick<Statement, 'fingerprint' | 'normalisedText' | 'kind'>): QueryGroup {
    const known = this.#groups.get(statement.fingerprint);
    if (known) return known;
    const isFull = this.#groups.size >= MAX_GROUPS && statement !== OTHERS;
    return isFull ? this.#groupOf(OTHERS) : this.#add(statement);
  }

  #add({
    fingerprint,
    normalisedText: sql,
    kind,
  }: Pick<Statement, 'fingerprint' | 'normalisedText' | 'kind'>): QueryGroup {
    const group = {
      fingerprint,
      sql,
      kind,
      latency: new LatencyHistogram(),
      errors: 0,
      rows: 0,
      isKept: false,
    };
    this.#groups.set(fingerprint, group);
    return group;
  }
}
