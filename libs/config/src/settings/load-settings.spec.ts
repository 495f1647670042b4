import { describe, expect, it } from '@jest/globals';
import { allSettings } from '../concerns/all-settings.js';
import {
  type EnvironmentProblem,
  DuplicateVariableError,
  InvalidEnvironmentError,
} from '../config.errors.js';
import { defineSettings, setting } from './define-settings.js';
import { type Environment, loadSettings } from './load-settings.js';
import { optional, text, wholeNumber } from './value-types.js';

const REQUIRED = {
  DATABASE_URL: 'postgres://user:hunter2@127.0.0.1:5432/peregrine',
  CURSOR_SECRET: 'c'.repeat(32),
};

const KEY = Buffer.alloc(32, 7).toString('base64');

function errorOf(environment: Environment): InvalidEnvironmentError {
  try {
    loadSettings(allSettings, environment);
  } catch (error) {
    if (error instanceof InvalidEnvironmentError) return error;
    throw error;
  }
  throw new Error('The environment was accepted');
}

function problemsOf(environment: Environment): readonly EnvironmentProblem[] {
  return errorOf({ ...REQUIRED, ...environment }).problems;
}

describe('loadSettings', () => {
  it('fills in every default', () => {
    expect(loadSettings(allSettings, REQUIRED)).toEqual({
      http: {
        host: '127.0.0.1',
        port: 3_000,
        bodyLimitBytes: 1_048_576,
        uploadLimitBytes: 1_073_741_824,
        uploadMaxFiles: 100,
        requestTimeoutMs: 120_000,
        shutdownDrainMs: 2_000,
        shutdownTimeoutMs: 30_000,
        publicDocs: true,
      },
      protection: {
        rateLimitsEnabled: true,
        rateLimitLocal: false,
        keyPerSecond: 200,
        keyBurst: 2_000,
        addressPerSecond: 50,
        addressBurst: 500,
        failuresPerMinute: 30,
        storeTimeoutMs: 250,
        trustedProxyHops: 0,
        concurrencyLimitEnabled: true,
        concurrencyMin: 20,
        concurrencyMax: 1_000,
        queueWaitMs: 1_000,
        headersTimeoutMs: 15_000,
        minBodyBytesPerSecond: 500,
        bodyGraceMs: 10_000,
        maxConnections: 10_000,
      },
      log: { level: 'info', format: 'json', slowRequestMs: 500 },
      memory: {
        limitBytes: undefined,
        managerEnabled: true,
        nodeOptions: undefined,
        profileFolder: './.peregrine/profiles',
        profileMaxBytes: 536_870_912,
        profileMaxCount: 20,
        profileOnBreach: false,
        shedPercent: 90,
        trimPercent: 85,
      },
      metrics: { port: undefined, host: '127.0.0.1', key: undefined },
      tracing: {
        endpoint: undefined,
        tracesEndpoint: undefined,
        sampler: 'parentbased_traceidratio',
        sampledShare: 1,
      },
      database: {
        url: REQUIRED.DATABASE_URL,
        poolMin: 10,
        poolMax: 50,
        poolMaxWaiting: 1_000,
        replicaMaxLagMs: 5_000,
        replicaUrls: undefined,
        acquireTimeoutMs: 3_000,
        connectTimeoutMs: 5_000,
        idleTimeoutMs: 30_000,
        statementTimeoutMs: 30_000,
        startTimeoutMs: 30_000,
        session: { jit: 'off', random_page_cost: '1.1', work_mem: '8MB' },
        queryMaxStalenessMs: 5_000,
        loopWatch: 'count',
      },
      indexAdvisor: {
        mode: 'recommend',
        schedule: '17 * * * *',
        indexesPerDay: 3,
        megabytesPerDay: 1_024,
        buildHours: undefined,
        timeZone: 'UTC',
        unusedAfterDays: 30,
      },
      redis: { url: undefined },
      cache: {
        prefix: 'peregrine',
        memoryBytes: 1_073_741_824,
        memoryEntries: 50_000,
        memoryTtlMs: 60_000,
        sentinels: undefined,
        masterName: undefined,
        redisUsername: undefined,
        redisPassword: undefined,
        sentinelPassword: undefined,
        redisTls: false,
        redisTimeoutMs: 100,
        cluster: undefined,
        objectStore: 'folder',
        objectFolder: './.peregrine/cache',
        objectMaxBytes: 10_737_418_240,
        objectMinBytes: 1_048_576,
        objectBucket: undefined,
        objectPrefix: 'cache/',
        encryptionKeys: undefined,
      },
      queue: { prefix: 'peregrine', workerConcurrency: 20, sweepIntervalMs: 60_000 },
      storage: {
        driver: 'folder',
        folder: './.peregrine/storage',
        s3Bucket: undefined,
        s3Endpoint: undefined,
        s3Region: 'us-east-1',
        s3AccessKeyId: undefined,
        s3SecretAccessKey: undefined,
        s3ForcePathStyle: false,
        databaseMaxBytes: 16_384,
        readLatencyMs: 0,
      },
      memories: {
        maxContentBytes: 65_536,
        maxBatch: 500,
        vectorIndex: 'auto',
        embedDeadlineMs: 150,
        consolidation: true,
      },
      retrieval: {
        budgetMs: 5_000,
        maxNeighbours: 5_000,
        maxResidentChunks: 500_000,
        maxVectorBytes: 67_108_864,
        chooserEnabled: true,
        calibrationShare: 0.01,
      },
      content: {
        convertTaskBytes: 1_048_576,
        convertMaxBytes: 67_108_864,
        convertThreads: 2,
        convertTimeoutMs: 30_000,
        syncRoots: undefined,
        syncBuckets: undefined,
        syncConcurrency: 8,
      },
      cdn: { graceDays: 14, memoryBytes: 67_108_864 },
      purge: {
        provider: 'none',
        id: undefined,
        apiToken: undefined,
        accessKeyId: undefined,
        secretAccessKey: undefined,
        siteUrls: undefined,
        serverUrls: undefined,
        cacheFolder: undefined,
        cloudflarePlan: 'free',
        apiUrl: undefined,
        timeoutMs: 10_000,
        probeUrl: undefined,
        probePaths: undefined,
        apiTtlSeconds: 0,
      },
      console: { actionsEnabled: false, sessionMinutes: 30 },
      ai: {
        baseUrl: undefined,
        apiKey: undefined,
        chatModel: undefined,
        chatModels: undefined,
        embeddingModel: undefined,
        embeddingDimensions: 1_536,
        analysis: 'local',
        timeoutMs: 60_000,
        maxAttempts: 3,
        dailyBudgetUsd: undefined,
        modelPrices: undefined,
      },
      security: { cursorSecret: REQUIRED.CURSOR_SECRET, bootstrapAdminKey: undefined },
      features: {
        cacheEnabled: { percent: 100, scopes: {} },
        queryCacheEnabled: 100,
        asyncProcessingEnabled: 100,
        cdnCompressionEnabled: 100,
      },
    });
  });

  it('gives typed values that nobody can change', () => {
    const settings = loadSettings(allSettings, { ...REQUIRED, PORT: '0', PUBLIC_DOCS: 'false' });
    const port: number = settings.http.port;
    const bucket: string | undefined = settings.storage.s3Bucket;
    const driver: 'folder' | 's3' = settings.storage.driver;
    expect([port, bucket, driver, settings.http.publicDocs]).toEqual([0, undefined, 'folder', false]);
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.values(settings).every((concern) => Object.isFrozen(concern))).toBe(true);
  });

  it('takes an empty variable for unset', () => {
    expect(loadSettings(allSettings, { ...REQUIRED, PORT: '', REDIS_URL: '' })).toMatchObject({
      http: { port: 3_000 },
      redis: { url: undefined },
    });
    expect(problemsOf({ DATABASE_URL: '' })).toEqual([
      {
        variable: 'DATABASE_URL',
        given: 'nothing',
        expected: 'a URL that begins with postgres:// or postgresql://',
      },
    ]);
  });

  it('reports the problems of all concerns together, one line each', () => {
    const error = errorOf({ PORT: '12abc', LOG_LEVEL: 'loud', CURSOR_SECRET: 'too short' });
    expect(error.code).toBe('CONFIG_INVALID_ENVIRONMENT');
    expect(error.message.split('\n')).toEqual([
      'The environment is not valid:',
      '  PORT: given "12abc", expected a whole number from 0 to 65535',
      '  LOG_LEVEL: given "loud", expected one of fatal, error, warn, info, debug, trace',
      '  DATABASE_URL: given nothing, expected a URL that begins with postgres:// or postgresql://',
      '  CURSOR_SECRET: given (hidden), expected at least 32 characters',
    ]);
  });

  it.each([
    ['PORT', ['12abc', '65536', '-1', '1.5', '1e3', ' 80', '0x10', '٣']],
    ['PUBLIC_DOCS', ['yes', '1', 'TRUE', ' true']],
    ['QUERY_CACHE_ENABLED', ['on', '50', '101%', '-1%', '12.345%', '100.5%', '%', '50%,a=10%']],
    [
      'CACHE_ENABLED',
      [
        'on',
        '50',
        '101%',
        '%',
        'search',
        'search=',
        '=10%',
        'search=10',
        '10%,20%',
        'a=1%,a=2%',
        'a=1%,',
        '1a=1%',
      ],
    ],
    ['CACHE_REDIS_SENTINELS', ['host', 'host:0', 'host:65536', 'a b:1', 'redis://a:1', 'a:1,', '::1:1']],
    ['CACHE_REDIS_CLUSTER', ['127.0.0.1:6379', 'redis://', 'redis://a:1,http://b:1', 'redis://a:x']],
    ['CACHE_OBJECT_STORE', ['disk']],
    ['CACHE_OBJECT_MAX_BYTES', ['1048575', '1 GB']],
    ['CACHE_OBJECT_S3_PREFIX', ['cache', '/', '../']],
    ['CACHE_ENCRYPTION_KEYS', [KEY, `a:${KEY}x`, `a:${KEY},a:${KEY}`, `a:${KEY},`, 'a:c2hvcnQ=']],
    ['STORAGE_DRIVER', ['gcs', 'S3']],
    ['HOST', ['local host']],
    ['DATABASE_URL', ['mysql://x/y', 'postgres', 'postgres:x', 'xpostgres://x/y']],
    ['REDIS_URL', ['http://127.0.0.1', '127.0.0.1:6379']],
    ['CURSOR_SECRET', ['c'.repeat(31)]],
    ['BOOTSTRAP_ADMIN_KEY', ['k'.repeat(31), 'k'.repeat(40) + ' ']],
  ])('refuses a wrong %s', (variable, values) => {
    for (const value of values) {
      expect(problemsOf({ [variable]: value })).toEqual([expect.objectContaining({ variable })]);
    }
  });

  it('never prints a secret', () => {
    const environment = {
      DATABASE_URL: 'mysql://u:hunter2@x/y',
      REDIS_URL: 'hunter2',
      CURSOR_SECRET: 'hunter2',
      BOOTSTRAP_ADMIN_KEY: 'hunter2',
      STORAGE_S3_SECRET_ACCESS_KEY: 'hunter2 ',
      STORAGE_S3_ACCESS_KEY_ID: 'hunter2 ',
      CACHE_REDIS_CLUSTER: 'hunter2',
      CACHE_ENCRYPTION_KEYS: 'hunter2',
    };
    const error = errorOf(environment);
    expect(error.problems.map((it) => it.given)).toEqual(Array.from({ length: 8 }, () => '(hidden)'));
    expect(JSON.stringify([error.message, error.stack, error])).not.toContain('hunter2');
  });

  it('shows a wrong value without what a terminal would obey, and not all of a long one', () => {
    expect(problemsOf({ PORT: '\u001b[31m\u009b\n' })[0]?.given).toBe('"\\u001b[31m\\u009b\\n"');
    expect(problemsOf({ PORT: 'x'.repeat(5_000) })[0]?.given).toBe(`"${'x'.repeat(80)}…"`);
  });

  it('reports a rule over several variables under the name of the one to blame', () => {
    expect(problemsOf({ STORAGE_DRIVER: 's3', PORT: 'x' })).toEqual([
      { variable: 'PORT', given: '"x"', expected: 'a whole number from 0 to 65535' },
      {
        variable: 'STORAGE_S3_BUCKET',
        given: 'nothing',
        expected: 'a bucket name, because STORAGE_DRIVER is s3',
      },
    ]);
    expect(problemsOf({ STORAGE_S3_ACCESS_KEY_ID: 'id' })).toMatchObject([
      { variable: 'STORAGE_S3_SECRET_ACCESS_KEY' },
    ]);
    expect(problemsOf({ SHUTDOWN_DRAIN_MS: '40000' })).toEqual([
      {
        variable: 'SHUTDOWN_TIMEOUT_MS',
        given: 'nothing (default 30000)',
        expected: 'more than SHUTDOWN_DRAIN_MS (40000)',
      },
    ]);
  });

  it('reads rollouts as percentages', () => {
    const { features } = loadSettings(allSettings, {
      ...REQUIRED,
      CACHE_ENABLED: 'false',
      QUERY_CACHE_ENABLED: '0%',
      ASYNC_PROCESSING_ENABLED: '12.5%',
      CDN_COMPRESSION_ENABLED: '100%',
    });
    expect(Object.values(features)).toEqual([{ percent: 0, scopes: {} }, 0, 12.5, 100]);
  });

  it('reads a rollout with parts; what is not named is on', () => {
    const read = (CACHE_ENABLED: string) =>
      loadSettings(allSettings, { ...REQUIRED, CACHE_ENABLED }).features.cacheEnabled;
    expect(read('50%, content=true ,search=10%')).toEqual({
      percent: 50,
      scopes: { content: 100, search: 10 },
    });
    expect(read('search=false')).toEqual({ percent: 100, scopes: { search: 0 } });
  });

  it('reads addresses and keys of the cache', () => {
    const { cache } = loadSettings(allSettings, {
      ...REQUIRED,
      CACHE_REDIS_SENTINELS: 'one:26379, [::1]:26380',
      CACHE_REDIS_MASTER_NAME: 'mymaster',
      CACHE_ENCRYPTION_KEYS: `new:${KEY},old:${KEY}`,
    });
    expect(cache.sentinels).toEqual([
      { host: 'one', port: 26_379 },
      { host: '::1', port: 26_380 },
    ]);
    expect(cache.encryptionKeys).toEqual([
      { id: 'new', key: KEY },
      { id: 'old', key: KEY },
    ]);
  });

  it.each([
    [{ CACHE_REDIS_SENTINELS: 'a:1' }, 'CACHE_REDIS_MASTER_NAME'],
    [{ CACHE_REDIS_MASTER_NAME: 'a' }, 'CACHE_REDIS_SENTINELS'],
    [
      { CACHE_REDIS_SENTINELS: 'a:1', CACHE_REDIS_MASTER_NAME: 'a', CACHE_REDIS_CLUSTER: 'redis://a:1' },
      'CACHE_REDIS_CLUSTER',
    ],
    [{ CACHE_OBJECT_STORE: 's3' }, 'CACHE_OBJECT_S3_BUCKET'],
  ])('refuses half a setup of the cache: %j', (environment, variable) => {
    expect(problemsOf(environment)).toMatchObject([{ variable }]);
  });

  it('refuses two settings of one variable', () => {
    const port = setting('PORT', wholeNumber(0, 1), { description: 'A port.', default: '0' });
    expect(() => defineSettings('Twice', { a: port, b: port })).toThrow(DuplicateVariableError);
    const definition = defineSettings('Once', { port });
    expect(() => loadSettings({ one: definition, two: definition }, {})).toThrow(DuplicateVariableError);
  });

  it('calls a rule with the values that are right only', () => {
    const definition = defineSettings(
      'Pair',
      {
        low: setting('LOW', wholeNumber(0, 9), { description: 'Low.' }),
        note: setting('NOTE', optional(text('a note')), { description: 'Note.' }),
      },
      ({ low }) => (low === undefined ? [{ property: 'note', expected: 'a note on LOW' }] : []),
    );
    expect(() => loadSettings({ definition }, { LOW: '10' })).toThrow(
      /LOW.*\n.*NOTE: given nothing, expected a note/,
    );
  });
});
