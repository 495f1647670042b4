import { type IndexFigures, type IndexFindingFigures, type RecommendationFigures } from '@peregrine/console';
import {
  type IndexFinding,
  type IndexReport,
  type QueryOptimizer,
  type StoredRecommendation,
} from '@peregrine/query-optimizer';
import { LastKnown } from './last-known.js';

const ADVICE = { maxAgeMs: 3_000, waitMs: 1_000 };
/** It reads the catalogue; a minute is soon enough for what grows for days. */
const ANALYSIS = { maxAgeMs: 60_000, waitMs: 1_000 };
const MOST_RECOMMENDATIONS = 20;
const MOST_FINDINGS = 30;

type Advice = Pick<IndexFigures, 'lastRoundAt' | 'lastRoundOutcome' | 'recommendations'>;

/** Recommended indexes and what is wrong with those that there are, as far as the database answers. */
export class IndexReader {
  readonly #optimizer: QueryOptimizer;
  readonly #advice: LastKnown<Advice>;
  readonly #report: LastKnown<IndexReport | undefined>;

  constructor(optimizer: QueryOptimizer) {
    this.#optimizer = optimizer;
    const none = { lastRoundAt: null, lastRoundOutcome: null, recommendations: [] };
    this.#advice = new LastKnown(() => this.#readAdvice(), none, ADVICE);
    this.#report = new LastKnown(() => optimizer.analyseIndexes(), undefined, ANALYSIS);
  }

  async read(): Promise<IndexFigures> {
    const [advice, { value: report }] = await Promise.all([this.#advice.get(), this.#report.get()]);
    return {
      mode: this.#optimizer.adaptiveIndexing.mode,
      ...advice.value,
      count: report?.indexes ?? null,
      sizeBytes: report?.sizeBytes ?? null,
      findings: (report?.findings ?? []).slice(0, MOST_FINDINGS).map(findingFigures),
      problem: advice.problem,
    };
  }

  /** After an operator changed something. */
  expire(): void {
    this.#advice.expire();
    this.#report.expire();
  }

  async #readAdvice(): Promise<Advice> {
    const { adaptiveIndexing: adaptive } = this.#optimizer;
    const [all, [round]] = await Promise.all([adaptive.recommendations(), adaptive.rounds(1)]);
    return {
      lastRoundAt: round?.startedAt.toISOString() ?? null,
      lastRoundOutcome: round?.outcome ?? null,
      recommendations: all
        .filter((it) => it.state !== 'obsolete')
        .slice(0, MOST_RECOMMENDATIONS)
        .map(recommendationFigures),
    };
  }
}

function recommendationFigures({ plan, improvement, ...its }: StoredRecommendation): RecommendationFigures {
  const { id, state, statement, reasons, sizeBytes, decision, revertProposal } = its;
  return {
    ...{ id, state, statement, sizeBytes, decision, revertProposal },
    table: `${plan.table.schema}.${plan.table.name}`,
    indexName: plan.indexName,
    reasons: [...reasons],
    costBefore: improvement.before,
    costAfter: improvement.after,
    savedMs: improvement.savedMs,
  };
}

function findingFigures({ schema, table, columns, ...its }: IndexFinding): IndexFindingFigures {
  const { kind, index, reason, caution, sizeBytes, scans, statement } = its;
  const name = `${schema}.${table}`;
  return { kind, table: name, index, columns: [...columns], reason, caution, sizeBytes, scans, statement };
}
