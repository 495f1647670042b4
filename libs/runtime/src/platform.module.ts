import { type DynamicModule, Module } from '@nestjs/common';
import { AiModule, aiTasks } from '@peregrine/ai';
import { CacheModule } from '@peregrine/cache';
import { FeatureFlags, FeatureFlagsModule } from '@peregrine/config';
import { contentEntities, ContentModule, contentTasks } from '@peregrine/content';
import {
  DatabaseModule,
  type DatabaseOptionsInput,
  driverTransactions,
  Transactions,
} from '@peregrine/database';
import { HealthModule } from '@peregrine/health';
import { heapLimitBytes, MetricsModule } from '@peregrine/metrics';
import { MemoriesModule, memoryTasks } from '@peregrine/memories';
import { QueryOptimizer } from '@peregrine/query-optimizer';
import { poolDriver, queryResultCache } from '@peregrine/query-optimizer/typeorm';
import { ingestExtractedTexts, RetrievalModule, retrievalTasks } from '@peregrine/retrieval';
import { TaskQueueModule } from '@peregrine/task-queue';
import { aiOptions } from './ai-options.js';
import { AuditEventRow } from './audit/audit-event.entity.js';
import { AuditTrail } from './audit/audit-trail.js';
import { cacheOptions } from './cache-options.js';
import { CdnPurgeModule } from './cdn/cdn-purge.module.js';
import { ListedInvalidation } from './cdn/invalidation.entity.js';
import { InvalidationList } from './cdn/invalidation-list.js';
import { cdnTasks } from './cdn/purge.tasks.js';
import { contentOptions } from './content-options.js';
import { PurgeDeadLettersHandler, RedriveDeadLettersHandler } from './dead-letters/dead-letter.handlers.js';
import { deadLetterTasks } from './dead-letters/dead-letter.tasks.js';
import { FeatureOverrides } from './feature-overrides.js';
import {
  ApplyRecommendationHandler,
  IndexChangeRunner,
  RevertRecommendationHandler,
} from './index-changes/index-change.handlers.js';
import { indexChangeTasks } from './index-changes/index-change.tasks.js';
import { IndexChanges } from './index-changes/index-changes.js';
import { MemoryModule } from './memory/memory.module.js';
import { memoriesOptions } from './memories-options.js';
import { PlatformWiring } from './platform.wiring.js';
import { protectionOptions } from './protection-options.js';
import { ProtectionModule } from './protection/protection.module.js';
import { PROCESS_ROLE, ProcessRegister } from './processes/process-register.js';
import { indexAdvisorTasks } from './queries/index-round.task.js';
import { IndexRoundHandler } from './queries/index-round.handler.js';
import { IndexRoundSchedule } from './queries/index-round-schedule.js';
import { INDEX_ADVISOR_SETTINGS } from './queries/index-round.tokens.js';
import { QueriesModule } from './queries/queries.module.js';
import { aroundTaskHandlers } from './queries/query-scopes.js';
import { retrievalOptions } from './retrieval-options.js';
import { type Role } from './role.js';
import { type Settings } from './settings.js';
import { CachePhases } from './timing/cache-phases.js';

type Entities = NonNullable<DatabaseOptionsInput['entities']>;

/** The whole platform, wired from settings: the one place where settings meet the libraries' options. */
@Module({})
export class PlatformModule {
  /** @param entities of the app itself */
  static forRoot(settings: Settings, role: Role, entities: Entities = []): DynamicModule {
    const ai = AiModule.forRoot(aiOptions(settings));
    return {
      module: PlatformModule,
      imports: [
        FeatureFlagsModule.forRoot({ isGlobal: true, rollouts: settings.features }),
        // Closed in the reverse order: connections go after all that use them.
        QueriesModule.forRoot(settings, role),
        DatabaseModule.forRootAsync({
          isGlobal: true,
          inject: [QueryOptimizer],
          useFactory: (optimizer: QueryOptimizer) => databaseOptions(settings, optimizer, entities),
        }),
        CacheModule.forRootAsync({
          isGlobal: true,
          inject: [FeatureFlags],
          useFactory: (flags: FeatureFlags) => cacheOptions(settings, flags),
        }),
        TaskQueueModule.forRootAsync({
          isGlobal: true,
          inject: [FeatureFlags, Transactions, QueryOptimizer],
          useFactory: (flags: FeatureFlags, transactions: Transactions, optimizer: QueryOptimizer) => ({
            ...taskQueueOptions(settings, role, flags),
            transactions: driverTransactions(transactions),
            around: aroundTaskHandlers(optimizer),
          }),
        }),
        MetricsModule.forRoot({ isGlobal: true, ...metricsOptions(settings) }),
        HealthModule.forRoot({ isGlobal: true, heapLimitBytes: heapLimitBytes(settings.memory.nodeOptions) }),
        MemoryModule.forRoot(settings),
        CdnPurgeModule.forRoot(settings, { sweep: role === 'worker' }),
        ContentModule.forRoot({
          ...contentOptions(settings),
          onTextExtracted: ingestExtractedTexts,
          sweep: role === 'worker',
        }),
        // A worker serves its operators alone.
        ...(role === 'api' ? [ProtectionModule.forRoot(protectionOptions(settings))] : []),
        ai,
        MemoriesModule.forRoot({ ...memoriesOptions(settings), imports: [ai], sweep: role === 'worker' }),
        RetrievalModule.forRoot({ ...retrievalOptions(settings), imports: [ai], sweep: role === 'worker' }),
      ],
      providers: [
        ...[CachePhases, FeatureOverrides, InvalidationList, PlatformWiring],
        ...[RedriveDeadLettersHandler, PurgeDeadLettersHandler],
        ...[AuditTrail, IndexChanges, IndexChangeRunner],
        ...[ApplyRecommendationHandler, RevertRecommendationHandler, IndexRoundHandler],
        { provide: PROCESS_ROLE, useValue: role },
        ProcessRegister,
        { provide: INDEX_ADVISOR_SETTINGS, useValue: settings.indexAdvisor },
        // Rounds are the workers' alone.
        ...(role === 'worker' ? [IndexRoundSchedule] : []),
      ],
      exports: [
        ...[ContentModule, AiModule, MemoriesModule, RetrievalModule],
        ...[FeatureOverrides, InvalidationList, AuditTrail, IndexChanges, ProcessRegister],
      ],
    };
  }
}

function databaseOptions({ database }: Settings, optimizer: QueryOptimizer, entities: Entities) {
  return {
    url: database.url,
    entities: [...contentEntities, AuditEventRow, ListedInvalidation, ...entities],
    startTimeoutMs: database.startTimeoutMs,
    driver: poolDriver(optimizer.pool),
    resultCache: () => queryResultCache(optimizer),
  };
}

/** With a port of their own the figures are not on the service's. */
function metricsOptions({ metrics, log, memory }: Settings) {
  return {
    heapLimitBytes: heapLimitBytes(memory.nodeOptions),
    slowRequestMs: log.slowRequestMs,
    ...(metrics.port === undefined ? {} : { path: false as const }),
    ...(metrics.key === undefined ? {} : { accessKey: metrics.key }),
  };
}

function taskQueueOptions({ queue, redis, database }: Settings, role: Role, flags: FeatureFlags) {
  return {
    backend: redis.url
      ? { type: 'redis' as const, url: redis.url }
      : { type: 'postgres' as const, url: database.url },
    prefix: queue.prefix,
    tasks: [
      ...contentTasks,
      ...memoryTasks,
      ...retrievalTasks,
      ...deadLetterTasks,
      ...cdnTasks,
      ...indexAdvisorTasks,
      ...indexChangeTasks,
      ...aiTasks,
    ],
    worker: role === 'worker' ? { concurrency: queue.workerConcurrency } : false,
    asynchronous: (_task: string, id: string) => flags.isEnabled('asyncProcessingEnabled', id),
  };
}
