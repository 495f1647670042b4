import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { QueryOptimizer } from './query-optimizer.js';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './query-optimizer.module-definition.js';

/** The query optimizer of an application. Connects at start. Enable Nest's shutdown hooks, or call `app.close()`. */
@Module({
  providers: [
    {
      provide: QueryOptimizer,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: QueryOptimizer.start.bind(QueryOptimizer),
    },
  ],
  exports: [QueryOptimizer],
})
export class QueryOptimizerModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  constructor(private readonly optimizer: QueryOptimizer) {
    super();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.optimizer.close();
  }
}
