import { ProcessStartError } from '../tools.errors.ts';
import type { DataFolder } from './data-folder.ts';
import { LOOPBACK } from './ports.ts';
import type { Secrets } from './secrets.ts';
import type { Services } from './services.ts';

/**
 * What the apps get: the environment as given, with what nobody gave.
 *
 * @returns without PORT, which each process has its own
 */
export function describeEnvironment({
  environment,
  services: { databaseUrl, redisUrl },
  folder,
  secrets,
}: {
  environment: NodeJS.ProcessEnv;
  services: Pick<Services, 'databaseUrl' | 'redisUrl'>;
  folder: Pick<DataFolder, 'storage' | 'cache'>;
  secrets: Secrets;
}): NodeJS.ProcessEnv {
  // An empty variable counts as unset, here as in the apps.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  return {
    CURSOR_SECRET: secrets.cursorSecret,
    BOOTSTRAP_ADMIN_KEY: secrets.adminKey,
    STORAGE_FOLDER: folder.storage,
    CACHE_OBJECT_FOLDER: folder.cache,
    // Whoever develops wants to know at once, and where.
    QUERY_LOOP_WATCH: 'warn',
    ...given,
    HOST: LOOPBACK,
    DATABASE_URL: databaseUrl,
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
  };
}

/**
 * Checks the given environment as the apps will, before anything is started for them.
 *
 * @throws {ProcessStartError} with every wrong variable; a secret's value is not shown
 */
export async function assertEnvironmentIsValid(environment: NodeJS.ProcessEnv): Promise<void> {
  const { allSettings, InvalidEnvironmentError, loadSettings } = await import('@peregrine/config');
  try {
    loadSettings(
      allSettings,
      describeEnvironment({
        environment: { ...environment, PORT: '0' },
        services: {
          databaseUrl: environment['DATABASE_URL'] || `postgres://${LOOPBACK}/any`,
          redisUrl: environment['REDIS_URL'] || null,
        },
        folder: { storage: 'any', cache: 'any' },
        secrets: { cursorSecret: 'x'.repeat(32), adminKey: 'x'.repeat(32) },
      }),
    );
  } catch (error) {
    if (error instanceof InvalidEnvironmentError)
      throw new ProcessStartError(error.message, { cause: error });
    throw error;
  }
}
