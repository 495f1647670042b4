import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';

import { connectDataSource, typeOrmOptions } from './data-source.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
} from './database.module-definition.js';
import { parseDatabaseOptions, type DatabaseOptions } from './database.options.js';
import { DATABASE_OPTIONS } from './database.tokens.js';
import { Transactions } from './transactions.js';

/** TypeORM drops what it does not know; the factory below reads it. */
type ConnectingOptions = DataSourceOptions & { readonly startTimeoutMs: number };

/**
 * The application's one data source: `DataSource`, `EntityManager`, `TypeOrmModule.forFeature` and
 * {@link Transactions}. Start-up waits for the database and ends with a `DatabaseUnavailableError`.
 * The pool is closed by `@nestjs/typeorm` in `onApplicationShutdown`.
 */
@Module({})
export class DatabaseModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return withTypeOrm(super.forRoot(options));
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return withTypeOrm(super.forRootAsync(options));
  }
}

/** The raw options go where they are read: into TypeORM's module, which cannot see ours. */
function withTypeOrm({ imports = [], providers = [], ...definition }: DynamicModule): DynamicModule {
  const typeOrm = TypeOrmModule.forRootAsync({
    imports,
    extraProviders: [
      ...providers,
      { provide: DATABASE_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: parseDatabaseOptions },
    ],
    inject: [DATABASE_OPTIONS],
    useFactory: (options: DatabaseOptions) => ({
      ...typeOrmOptions(options),
      startTimeoutMs: options.startTimeoutMs,
      // connectDataSource does the retries.
      toRetry: () => false,
    }),
    dataSourceFactory: (options) => {
      const { startTimeoutMs, ...rest } = options as ConnectingOptions;
      return connectDataSource(new DataSource(rest), { startTimeoutMs });
    },
  });
  return {
    ...definition,
    imports: [typeOrm],
    providers: [Transactions],
    exports: [TypeOrmModule, Transactions],
  };
}
