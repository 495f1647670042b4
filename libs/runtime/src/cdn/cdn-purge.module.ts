import { type DynamicModule, Logger, Module } from '@nestjs/common';
import {
  CdnInvalidation,
  createProvider,
  parseInvalidationOptions,
  PurgeDelivery,
  PurgeStatistics,
} from '@peregrine/cdn';
import { type Settings } from '../settings.js';
import { CachePurges } from './cache-purges.js';
import { PostgresInvalidationQueue } from './postgres-invalidation-queue.js';
import { invalidationOptions, purgeProviders } from './purge-providers.js';
import { PurgeSweeper } from './purge-sweeper.js';
import { DeliverPurgesHandler } from './purge.handler.js';
import { PURGE_DELIVERIES } from './purge.tokens.js';
import { SharedPurgeBudget } from './shared-purge-budget.js';
import { TaskPurgeDispatch } from './task-purge-dispatch.js';

/** Purges of the CDN in front of the platform: queued in PostgreSQL, delivered by tasks. */
@Module({})
export class CdnPurgeModule {
  /** @param options.sweep whether this process looks for purges whose task was lost */
  static forRoot(settings: Settings, { sweep }: { readonly sweep: boolean }): DynamicModule {
    const providers = purgeProviders(settings).map(createProvider);
    const options = parseInvalidationOptions(invalidationOptions(settings));
    const log = new Logger('CdnPurges');
    return {
      module: CdnPurgeModule,
      global: true,
      providers: [
        { provide: PurgeStatistics, useFactory: () => new PurgeStatistics() },
        PostgresInvalidationQueue,
        TaskPurgeDispatch,
        SharedPurgeBudget,
        {
          provide: PURGE_DELIVERIES,
          inject: [PostgresInvalidationQueue, SharedPurgeBudget, PurgeStatistics],
          useFactory: (
            queue: PostgresInvalidationQueue,
            budget: SharedPurgeBudget,
            statistics: PurgeStatistics,
          ) =>
            providers.map((provider) => {
              const warn = (message: string) => log.warn(message);
              return new PurgeDelivery({ provider, queue, budget, statistics, options, warn });
            }),
        },
        {
          provide: CdnInvalidation,
          inject: [PostgresInvalidationQueue, TaskPurgeDispatch, PurgeStatistics],
          useFactory: (
            queue: PostgresInvalidationQueue,
            dispatch: TaskPurgeDispatch,
            statistics: PurgeStatistics,
          ) =>
            new CdnInvalidation({ queue, dispatch, statistics, providers: providers.map((it) => it.name) }),
        },
        DeliverPurgesHandler,
        CachePurges,
        ...(sweep ? [PurgeSweeper] : []),
      ],
      exports: [CdnInvalidation],
    };
  }
}
