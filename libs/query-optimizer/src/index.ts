export { AdaptiveIndexing } from './adaptive/adaptive-indexing.js';
export { RecommendationError, type RecommendationFailure } from './adaptive/adaptive-indexing.errors.js';
export {
  type AdaptiveIndexingOptionsInput,
  type AdaptiveMode,
} from './adaptive/adaptive-indexing.options.js';
export {
  type AdaptiveListener,
  type AdaptiveProgress,
  type AdaptiveRound,
  type AdaptiveStatus,
  type RoundOutcome,
  type RoundProblem,
} from './adaptive/adaptive-round.js';
export { installAdaptiveIndexing, removeAdaptiveIndexing } from './adaptive/adaptive-tables.js';
export {
  type RecommendationState,
  type ServedQuery,
  type StoredRecommendation,
} from './adaptive/stored-recommendation.js';
export {
  type Advice,
  type EstimateSource,
  type Improvement,
  type IndexMethod,
  type Recommendation,
  type RejectedCandidate,
  type RejectionCode,
  type ServedStatement,
  type SkippedStatement,
  type StatementForecast,
  type StatisticsAdvice,
  type Workload,
  type WorkloadStatement,
  type WriteCost,
} from './advisor/advice.js';
export { advise } from './advisor/advise.js';
export {
  type AdvisorClient,
  type AdvisorOptionsInput,
  type AdvisorSource,
} from './advisor/advisor.options.js';
export { analyse } from './analysis/analyse.js';
export { loadAnalyser } from './analysis/parser.js';
export { type RelationName } from './analysis/relation-name.js';
export { type Statement, type StatementKind } from './analysis/statement.js';
export { installChangeTriggers, removeChangeTriggers } from './changes/change-triggers.js';
export { splitStatements } from './analysis/script.js';
export { createQueryOptimizer, type CreateQueryOptimizerOptions } from './create-query-optimizer.js';
export { type ExecuteOptions, type QueryAnswer } from './execution/execute-options.js';
export { type SessionVariables } from './execution/session-variables.js';
export { type IndexAnalysisOptionsInput } from './index-analysis/index-analysis.options.js';
export {
  type IndexFinding,
  type IndexFindingKind,
  type IndexReport,
  type IndexUse,
  type IndexWriteCost,
} from './index-analysis/index-finding.js';
export { withLoaders } from './loaders/loader-scope.js';
export { type Loader } from './loaders/loader.js';
export { type LoaderOptionsInput } from './loaders/loader.options.js';
export { type LoaderKey } from './loaders/row-loader.js';
export {
  IndexBuilderBusyError,
  IndexBuildError,
  type IndexFailure,
  IndexLedgerEntryError,
  IndexLedgerUnavailableError,
  InvalidIndexPlanError,
} from './index-builder/index-builder.errors.js';
export { type BuildListener, type IndexBuildProgress } from './index-builder/index-builder.js';
export { type IndexTrialOptionsInput } from './index-builder/index-builder.options.js';
export {
  installIndexLedger,
  type LedgerEntry,
  type LedgerStatus,
  removeIndexLedger,
} from './index-builder/index-ledger.js';
export { type IndexPlan, parseIndexPlan } from './index-builder/index-plan.js';
export { IndexTrials, type TrialCandidate } from './index-builder/index-trial.js';
export { type SetConditions } from './index-builder/joint-trial.js';
export { indexMigration } from './index-builder/migration-file.js';
export { type TrialMeasurement } from './index-builder/statement-replay.js';
export { describeFinding, type NPlusOneFinding } from './n-plus-one/n-plus-one-finding.js';
export { NPlusOneDetector, type NPlusOneOptions } from './n-plus-one/n-plus-one-detector.js';
export { type PlanCalibration } from './plan-choice/calibration.js';
export { type PlanDrift } from './plan-choice/drift-watch.js';
export { type TrainingReport, type TrainingRound } from './plan-choice/model-trainer.js';
export { type PlanCount } from './plan-choice/plan-counts.js';
export {
  type PlanDecision,
  type PlanOutcome,
  type PlanQuestion,
  type PlanReason,
} from './plan-choice/plan-question.js';
export { type PlannerModel } from './plan-choice/planner-model.js';
export { type PlannerReport } from './plan-choice/planner-report.js';
export { QueryPlanner } from './plan-choice/query-planner.js';
export { type QueryPlannerOptions } from './plan-choice/query-planner.options.js';
export { type RegretBlock } from './plan-choice/regret-history.js';
export { type PinnedPlan } from './plan-guard/pin.js';
export { type GuardDecision, type PlanGuard, type PlanGuardReport } from './plan-guard/plan-guard.js';
export { type PlanArm } from './plan-guard/plan-guard.options.js';
export { type AcquireOptions, type PoolQueryOptions } from './pool/acquire-options.js';
export { Lease } from './pool/lease.js';
export {
  InvalidPoolOptionsError,
  LeaseReleasedError,
  PoolClosedError,
  PoolConnectError,
  PoolError,
  PoolExhaustedError,
  PoolSettingsError,
  PoolTimeoutError,
} from './pool/pool.errors.js';
export { type PoolOptionsInput } from './pool/pool.options.js';
export { type PoolStatistics, type WaitHistogram } from './pool/pool-statistics.js';
export { PriorityPool } from './pool/priority-pool.js';
export {
  currentQueryPriority,
  QUERY_PRIORITIES,
  type QueryPriority,
  withQueryPriority,
} from './pool/query-priority.js';
export { repeatAtLowPriority, type RepeatedWork } from './pool/repeat-at-low-priority.js';
export {
  InvalidQueryOptimizerOptionsError,
  QueryAdvisorError,
  QueryAnalyserNotLoadedError,
  QueryCatalogueError,
  QueryCatalogueNotLoadedError,
  QueryEmptyError,
  QueryInvalidTextError,
  QueryLoaderKeyError,
  QueryLoaderOptionsError,
  QueryLoaderScopeError,
  QueryMultipleStatementsError,
  QueryNotListeningError,
  QueryNotStreamableError,
  QueryOptimizerError,
  QueryParameterCountError,
  QueryParameterError,
  QueryPlannerInputError,
  QueryPlannerOptionsError,
  QueryPlannerThreadLostError,
  QuerySyntaxError,
  QueryTimeoutError,
  QueryUnknownColumnError,
  QueryUnknownTableError,
  QueryVariableError,
} from './query-optimizer.errors.js';
export { type ReplicaReport } from './replicas/replica.js';
export { type ReplicasReport } from './replicas/replica-set.js';
export { QueryOptimizerModule } from './query-optimizer.module.js';
export { type QueryOptimizerOptionsInput, type ReplicaPoolOptions } from './query-optimizer.options.js';
export { QueryOptimizer } from './query-optimizer.js';
export { type CachedStatement, type CachePolicy } from './result-cache/cached-statements.js';
export { MemoryResultStore, type MemoryResultStoreOptions } from './result-cache/memory-result-store.js';
export { type ResultCacheStatistics } from './result-cache/result-cache.js';
export { type LoadedRows, type ResultStore, type Rows } from './result-cache/result-store.js';
export { installSlowQueryHistory, removeSlowQueryHistory } from './slow-queries/history-tables.js';
export { type PlanBuffers } from './slow-queries/plan.js';
export { type PlanRecord, type PlanRegression } from './slow-queries/plan-history.js';
export { type QueryEnd, type QueryOutcome, type TappedQuery } from './tap/query-observer.js';
export { currentQueryTag, withQueryTag } from './tap/query-tag.js';
export { type ServerFigures } from './slow-queries/server-statistics.js';
export { type SlowQueries } from './slow-queries/slow-queries.js';
export { type SlowQueryHour } from './slow-queries/slow-query-history.js';
export {
  type CapturedStatement,
  type Degradation,
  type SlowQuery,
  type SlowQueryCounts,
  type SlowQueryReport,
} from './slow-queries/slow-query.js';
export { type MetricFamily, type MetricSample } from './statistics/metric-families.js';
export { type OptimizerReport } from './statistics/optimizer-report.js';
export { type QueryFigures } from './statistics/query-statistics.js';
