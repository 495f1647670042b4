import { type DynamicModule, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { FeatureFlags, InvalidEnvironmentError } from '@peregrine/config';
import { untilConnected } from '@peregrine/database';
import { PoolSettingsError, QueryOptimizer } from '@peregrine/query-optimizer';
import { type Role } from '../role.js';
import { type Settings } from '../settings.js';
import { LoopWarnings } from './loop-warnings.js';
import { queryOptimizerOptions } from './query-optimizer-options.js';

/** The one way to PostgreSQL: the query optimizer, and its pool below TypeORM. Waits for the database as it starts. */
@Module({})
export class QueriesModule implements OnApplicationShutdown {
  constructor(private readonly optimizer: QueryOptimizer) {}

  static forRoot(settings: Settings, role: Role): DynamicModule {
    return {
      module: QueriesModule,
      global: true,
      providers: [
        {
          provide: QueryOptimizer,
          inject: [Cache, FeatureFlags],
          useFactory: (cache: Cache, flags: FeatureFlags) => start(settings, role, cache, flags),
        },
      ],
      exports: [QueryOptimizer],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.optimizer.close();
  }
}

async function start(
  settings: Settings,
  role: Role,
  cache: Cache,
  flags: FeatureFlags,
): Promise<QueryOptimizer> {
  const { url, startTimeoutMs, loopWatch } = settings.database;
  const warnings = new LoopWarnings(new Logger('Queries'));
  const onLoop = loopWatch === 'warn' ? warnings.warn.bind(warnings) : () => undefined;
  const options = queryOptimizerOptions(settings, { role, cache, flags, onLoop });
  try {
    return await untilConnected(url, () => QueryOptimizer.start(options), {
      startTimeoutMs,
      isFinal: (error) => settingsErrorIn(error) !== undefined,
    });
  } catch (error) {
    const refused = settingsErrorIn(error);
    if (!refused) throw error;
    const given = Object.entries(settings.database.session).map(([name, value]) => `${name}=${value}`);
    throw new InvalidEnvironmentError(
      refused.problems.map((it) => ({
        variable: 'DATABASE_SESSION',
        given: JSON.stringify(given.join(',')),
        expected: `what the server takes (${it})`,
      })),
    );
  }
}

/** The catalogue is read first, and wraps what it meets. */
function settingsErrorIn(error: unknown): PoolSettingsError | undefined {
  if (error instanceof PoolSettingsError) return error;
  return error instanceof Error && error.cause !== undefined ? settingsErrorIn(error.cause) : undefined;
}
