import { type DynamicModule, Module } from '@nestjs/common';
import { CacheModule } from '@peregrine/cache';
import { FeatureFlags, FeatureFlagsModule } from '@peregrine/config';
import { ContentModule, contentTasks, Workspace } from '@peregrine/content';
import { DatabaseModule, driverTransactions, Transactions } from '@peregrine/database';
import { HealthModule } from '@peregrine/health';
import { MetricsModule } from '@peregrine/metrics';
import { QueryOptimizer } from '@peregrine/query-optimizer';
import { poolDriver, queryResultCache } from '@peregrine/query-optimizer/typeorm';
import { TaskQueueModule } from '@peregrine/task-queue';
import { cacheOptions } from './cache-options.js';
import { CdnPurgeModule } from './cdn/cdn-purge.module.js';
import { cdnTasks } from './cdn/purge.tasks.js';
import { contentOptions } from './content-options.js';
import { PurgeDeadLettersHandler, RedriveDeadLettersHandler } from './dead-letters/dead-letter.handlers.js';
import { deadLetterTasks } from './dead-letters/dead-letter.tasks.js';
import { FeatureOverrides } from './feature-overrides.js';
import { PlatformWiring } from './platform.wiring.js';
import { QueriesModule } from './queries/queries.module.js';
import { aroundTaskHandlers } from './queries/query-scopes.js';
import { type Role } from './role.js';
import { type Settings } from './settings.js';
import { CachePhases } from './timing/cache-phases.js';

/** The whole platform, wired from settings: the one place where settings meet the libraries' options. */
@Module({})
export class PlatformModule {
  static forRoot(settings: Settings, role: Role): DynamicModule {
    return {
      module: PlatformModule,
      imports: [
        FeatureFlagsModule.forRoot({ isGlobal: true, rollouts: settings.features }),
        // Closed in the reverse order: connections go after all that use them.
        QueriesModule.forRoot(settings, role),
        DatabaseModule.forRootAsync({
          isGlobal: true,
          inject: [QueryOptimizer],
          useFactory: (optimizer: QueryOptimizer) => databaseOptions(settings, optimizer),
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
        HealthModule.forRoot({ isGlobal: true }),
        CdnPurgeModule.forRoot(settings, { sweep: role === 'worker' }),
        ContentModule.forRoot({ ...contentOptions(settings), sweep: role === 'worker' }),
      ],
      providers: [
        CachePhases,
        FeatureOverrides,
        PlatformWiring,
        RedriveDeadLettersHandler,
        PurgeDeadLettersHandler,
      ],
      exports: [ContentModule, FeatureOverrides],
    };
  }
}

function databaseOptions({ database }: Settings, optimizer: QueryOptimizer) {
  return {
    url: database.url,
    entities: [Workspace],
    startTimeoutMs: database.startTimeoutMs,
    driver: poolDriver(optimizer.pool),
    resultCache: () => queryResultCache(optimizer),
  };
}

/** With a port of their own the figures are not on the service's. */
function metricsOptions({ metrics, log }: Settings) {
  return {
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
    tasks: [...contentTasks, ...deadLetterTasks, ...cdnTasks],
    worker: role === 'worker' ? { concurrency: queue.workerConcurrency } : false,
    asynchronous: (_task: string, id: string) => flags.isEnabled('asyncProcessingEnabled', id),
  };
}
