import { type DynamicModule, Module } from '@nestjs/common';
import { InvalidationsController } from '../cdn/invalidations.controller.js';
import { CacheController } from '../meta/cache.controller.js';
import { RecommendationsController } from '../optimizer/recommendations.controller.js';
import { SlowQueriesController } from '../optimizer/slow-queries.controller.js';
import { DeadLettersController } from '../tasks/dead-letters.controller.js';
import { ConsoleActions } from './console-actions.js';
import { ConsoleSnapshots } from './console-snapshots.js';
import { CONSOLE_ACTIONS_ENABLED } from './console.tokens.js';
import { ProtectionReader } from './figures/protection-figures.js';
import { RequestHistory } from './request-history.js';

/** What the console shows and does. `registerConsole` puts it on the server. */
@Module({})
export class ConsoleModule {
  /** @param imports the platform, and the modules with the `Cdn` and the API keys */
  static forRoot(actionsEnabled: boolean, imports: DynamicModule[]): DynamicModule {
    return {
      module: ConsoleModule,
      imports,
      providers: [
        { provide: CONSOLE_ACTIONS_ENABLED, useValue: actionsEnabled },
        // Their deeds without their routes.
        CacheController,
        DeadLettersController,
        InvalidationsController,
        RecommendationsController,
        SlowQueriesController,
        RequestHistory,
        ProtectionReader,
        ConsoleSnapshots,
        ConsoleActions,
      ],
    };
  }
}
