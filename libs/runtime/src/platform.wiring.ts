import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AiMetrics } from '@peregrine/ai';
import { Cache, CacheHealthIndicator } from '@peregrine/cache';
import { CdnInvalidation } from '@peregrine/cdn';
import { FeatureFlags, InvalidEnvironmentError } from '@peregrine/config';
import { ObjectStore } from '@peregrine/content';
import { HealthService } from '@peregrine/health';
import { FeedbackService } from '@peregrine/memories';
import { MetricsService } from '@peregrine/metrics';
import { QueryOptimizer } from '@peregrine/query-optimizer';
import { PlanChooser, RetrievalCalibration, RetrievalMetrics } from '@peregrine/retrieval';
import { TaskQueue, TaskQueueHealthIndicator } from '@peregrine/task-queue';
import { cacheHitRate } from './cache-hit-rate.js';
import { FeatureOverrides } from './feature-overrides.js';
import { poolHealth } from './queries/pool-health.js';

/** Connects what the libraries only know by shape: figures to metrics, dependencies to health. */
@Injectable()
export class PlatformWiring implements OnModuleInit {
  constructor(
    private readonly metrics: MetricsService,
    private readonly health: HealthService,
    private readonly queries: QueryOptimizer,
    private readonly cache: Cache,
    private readonly cacheHealth: CacheHealthIndicator,
    private readonly flags: FeatureFlags,
    private readonly overrides: FeatureOverrides,
    private readonly tasks: TaskQueue,
    private readonly taskHealth: TaskQueueHealthIndicator,
    private readonly store: ObjectStore,
    private readonly cdn: CdnInvalidation,
    private readonly memories: FeedbackService,
    private readonly ai: AiMetrics,
    private readonly retrieval: RetrievalMetrics,
    private readonly plans: PlanChooser,
    private readonly calibration: RetrievalCalibration,
  ) {}

  /** @throws {InvalidEnvironmentError} when CACHE_ENABLED names a part that the cache does not have */
  onModuleInit(): void {
    this.#checkRollout();
    const hitRate = cacheHitRate(this.cache);
    const ofLibraries = [this.cache, this.tasks, this.queries, this.health, this.cdn];
    const ofRetrieval = [this.retrieval, this.plans.planner, this.calibration];
    const sources = [...ofLibraries, this.memories, this.ai, ...ofRetrieval, hitRate, this.overrides];
    for (const source of sources) this.metrics.register(source);
    this.health.register({
      name: 'database',
      criticality: 'critical',
      check: (signal) => this.queries.ready(signal),
    });
    this.health.register(poolHealth(this.queries.pool));
    // Without the queue uploads are still taken, and their tasks wait in the database; without storage the cache still answers.
    this.health.register(this.taskHealth.check());
    this.health.register({
      name: 'storage',
      criticality: 'degraded',
      check: (signal) => this.store.check(signal),
    });
    this.health.register(this.cacheHealth.check());
  }

  /** A misspelled part would leave what it means as it was. */
  #checkRollout(): void {
    const namespaces = Object.keys(this.cache.stats().namespaces);
    const { scopes } = this.flags.describe('cacheEnabled').configured;
    const problems = Object.keys(scopes)
      .filter((it) => !namespaces.includes(it))
      .map((it) => ({
        variable: 'CACHE_ENABLED',
        given: JSON.stringify(it),
        expected: `parts among ${namespaces.join(', ')}`,
      }));
    if (problems.length > 0) throw new InvalidEnvironmentError(problems);
  }
}
