import { AdaptiveIndexing } from '../adaptive/adaptive-indexing.js';
import { OwnConnections } from '../adaptive/own-connections.js';
import { type Statement } from '../analysis/statement.js';
import { OwnStatements } from '../execution/own-statements.js';
import { IndexAnalysis } from '../index-analysis/index-analysis.js';
import {
  type IndexAnalysisOptionsInput,
  parseIndexAnalysisOptions,
} from '../index-analysis/index-analysis.options.js';
import { type IndexReport } from '../index-analysis/index-finding.js';
import { PlanGuard } from '../plan-guard/plan-guard.js';
import { type PriorityPool } from '../pool/priority-pool.js';
import { type QueryOptimizerOptions } from '../query-optimizer.options.js';
import { SlowQueries } from '../slow-queries/slow-queries.js';
import { type QueryTap } from '../tap/query-tap.js';
import { type Figures } from './metric-families.js';
import { type OptimizerReport } from './optimizer-report.js';
import { type QueryStatistics } from './query-statistics.js';

export interface InsightInput {
  readonly options: Pick<
    QueryOptimizerOptions,
    'slowQueries' | 'planGuard' | 'replicas' | 'adaptiveIndexing'
  >;
  readonly pool: PriorityPool;
  readonly tap: QueryTap;
  readonly statistics: QueryStatistics;
  /** It only reads, and nothing that it calls has effects. */
  isRepeatable(statement: Statement): boolean;
}

/** What statements do to the database, and what would help: slow queries, their plans, indexes. */
export class Insight {
  readonly slowQueries: SlowQueries;
  readonly planGuard: PlanGuard;
  readonly adaptiveIndexing: AdaptiveIndexing;
  readonly #own: OwnStatements;
  readonly #replicas: readonly string[];
  #indexes: IndexReport | null = null;

  constructor({ options, pool, tap, statistics, ...input }: InsightInput) {
    const isRepeatable = (it: Statement) => input.isRepeatable(it);
    const own = new OwnStatements(pool, tap);
    this.#own = own;
    this.#replicas = options.replicas.map((it) => (typeof it === 'string' ? it : it.connectionString));
    this.planGuard = new PlanGuard({
      ...{ options: options.planGuard, own, isRepeatable },
      statementTimeoutMs: pool.options.statementTimeoutMs,
      unseen: (...it) => tap.unseen(...it),
    });
    this.slowQueries = new SlowQueries({
      ...{ options: options.slowQueries, own, statistics, isRepeatable },
      isShaped: (fingerprint) => this.planGuard.isPinned(fingerprint),
      regressed: (...it) => this.planGuard.regressed(...it),
    });
    this.adaptiveIndexing = new AdaptiveIndexing({
      ...options.adaptiveIndexing,
      replicas: [...new Set([...this.#replicas, ...options.adaptiveIndexing.replicas])],
      source: new OwnConnections(pool.options),
      captured: () => this.slowQueries.workload(),
    });
  }

  /** @throws {InvalidQueryOptimizerOptionsError} */
  async analyseIndexes(input: IndexAnalysisOptionsInput): Promise<IndexReport> {
    const options = parseIndexAnalysisOptions({ replicas: [...this.#replicas], ...input });
    const updatedColumns = this.slowQueries.updatedColumns.bind(this.slowQueries);
    this.#indexes = await new IndexAnalysis(this.#own, options, updatedColumns).run();
    return this.#indexes;
  }

  report(): Pick<OptimizerReport, 'slowQueries' | 'indexes' | 'indexRecommendations' | 'planGuard'> {
    return {
      slowQueries: this.slowQueries.report(),
      indexes: this.#indexes,
      indexRecommendations: this.adaptiveIndexing.latest(),
      planGuard: this.planGuard.report(),
    };
  }

  figures(): Pick<Figures, 'slow' | 'pinnedPlans'> {
    return { slow: this.slowQueries.counts, pinnedPlans: this.planGuard.pinnedCount };
  }
}
