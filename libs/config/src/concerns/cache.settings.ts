import {
  defineSettings,
  type RuleProblem,
  setting,
  type SettingsRule,
  type SettingValues,
} from '../settings/define-settings.js';
import { listOf, oneOf, optional, text, trueOrFalse, wholeNumber } from '../settings/value-types.js';

const MAX_BYTES = Number.MAX_SAFE_INTEGER;

const basics = {
  prefix: setting('CACHE_PREFIX', text('letters, digits, - and _', /^[A-Za-z0-9_-]+$/), {
    description: 'First part of every key in Redis. Deployments that share a server need different ones.',
    default: 'peregrine',
  }),
  memoryBytes: setting('CACHE_MEMORY_BYTES', wholeNumber(1, MAX_BYTES), {
    description: 'Most memory for cached values in one process, bytes.',
    default: '1073741824',
  }),
  memoryEntries: setting('CACHE_MEMORY_ENTRIES', wholeNumber(1, 100_000_000), {
    description: 'Most entries in the memory of one process.',
    default: '50000',
  }),
  memoryTtlMs: setting('CACHE_MEMORY_TTL_MS', wholeNumber(1, 86_400_000), {
    description:
      'Longest stay of an entry in memory, milliseconds: so old may a value be in one process that another has changed, ' +
      'while Redis does not connect the two.',
    default: '60000',
  }),
};

const redis = {
  sentinels: setting('CACHE_REDIS_SENTINELS', optional(addresses()), {
    description: 'Sentinels that know the Redis of the cache. Unset, and CACHE_REDIS_CLUSTER too: REDIS_URL.',
    example: '10.0.0.1:26379,10.0.0.2:26379,10.0.0.3:26379',
  }),
  masterName: setting('CACHE_REDIS_MASTER_NAME', optional(text('a name without spaces', /^\S+$/)), {
    description: 'Name of the master, as the sentinels know it; goes together with them.',
    example: 'mymaster',
  }),
  redisUsername: setting('CACHE_REDIS_USERNAME', optional(text('a user name', /^\S+$/)), {
    description: 'User of the master behind the sentinels. Unset: the default user.',
    example: 'peregrine',
  }),
  redisPassword: setting('CACHE_REDIS_PASSWORD', optional(text('a password')), {
    description: 'Password of the master behind the sentinels.',
    secret: true,
  }),
  sentinelPassword: setting('CACHE_REDIS_SENTINEL_PASSWORD', optional(text('a password')), {
    description: 'Password of the sentinels themselves.',
    secret: true,
  }),
  redisTls: setting('CACHE_REDIS_TLS', trueOrFalse(), {
    description: 'TLS to the sentinels and the master behind them.',
    default: 'false',
  }),
  redisTimeoutMs: setting('CACHE_REDIS_TIMEOUT_MS', wholeNumber(10, 60_000), {
    description:
      'Longest wait for Redis before the cache goes on without it, milliseconds. Longer: fewer loads, and calls of AI providers, are made twice when Redis is slow.',
    default: '100',
  }),
  cluster: setting('CACHE_REDIS_CLUSTER', optional(redisUrls()), {
    description:
      'Some nodes of a Redis Cluster for the cache, instead of sentinels; the others are found through them.',
    secret: true,
  }),
};

const objectStore = {
  objectStore: setting('CACHE_OBJECT_STORE', oneOf(['none', 'folder', 's3']), {
    description: 'Where large values are kept behind memory and Redis. s3 uses the server of STORAGE_S3_*.',
    default: 'folder',
  }),
  objectFolder: setting('CACHE_OBJECT_FOLDER', text('a path without NUL', /^[^\0]+$/), {
    description: 'Folder for large values; without Redis, all processes must share it.',
    default: './.peregrine/cache',
  }),
  objectMaxBytes: setting('CACHE_OBJECT_MAX_BYTES', wholeNumber(1_048_576, MAX_BYTES), {
    description: 'Most room in the folder, bytes.',
    default: '10737418240',
  }),
  objectMinBytes: setting('CACHE_OBJECT_MIN_BYTES', wholeNumber(1, MAX_BYTES), {
    description: 'Values of this size and above are large, bytes. They are not kept in Redis.',
    default: '1048576',
  }),
  objectBucket: setting(
    'CACHE_OBJECT_S3_BUCKET',
    optional(text('a bucket name', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)),
    {
      description:
        'Bucket for large values; the object store s3 needs it. Let it delete objects after two days.',
      example: 'peregrine-cache',
    },
  ),
  objectPrefix: setting(
    'CACHE_OBJECT_S3_PREFIX',
    text('folders that end in /', /^(?:(?!\.+\/)[\w.-]+\/)+$/),
    {
      description: 'First part of every key in the bucket.',
      default: 'cache/',
    },
  ),
};

const encryption = {
  encryptionKeys: setting('CACHE_ENCRYPTION_KEYS', optional(encryptionKeys()), {
    description:
      'Encrypts what leaves the process (AES-256-GCM): 2027:<output of openssl rand -base64 32>. Put a new one first to ' +
      'change keys: the first encrypts, all decrypt. Unset: nothing is encrypted.',
    secret: true,
  }),
};

const shape = { ...basics, ...redis, ...objectStore, ...encryption };

/** The cache. */
export const cacheSettings = defineSettings('Cache', shape, cacheRule());

function cacheRule(): SettingsRule<typeof shape> {
  return (values) => [...redisProblems(values), ...objectStoreProblems(values)];
}

type Values = Partial<SettingValues<typeof shape>>;
type Problem = RuleProblem<keyof typeof shape>;

function redisProblems({ sentinels, masterName, cluster }: Values): Problem[] {
  if (cluster !== undefined && sentinels !== undefined) {
    return [{ property: 'cluster', expected: 'nothing, because CACHE_REDIS_SENTINELS is set' }];
  }
  if (sentinels !== undefined && masterName === undefined) {
    return [{ property: 'masterName', expected: 'a name, because CACHE_REDIS_SENTINELS is set' }];
  }
  if (sentinels === undefined && masterName !== undefined) {
    return [{ property: 'sentinels', expected: 'addresses, because CACHE_REDIS_MASTER_NAME is set' }];
  }
  return [];
}

function objectStoreProblems({ objectStore, objectBucket }: Values): Problem[] {
  return objectStore === 's3' && objectBucket === undefined
    ? [{ property: 'objectBucket', expected: 'a bucket name, because CACHE_OBJECT_STORE is s3' }]
    : [];
}

/** `host:port` each; an IPv6 address stands in brackets. */
function addresses() {
  const expected = 'addresses as host:port, separated by commas';
  return listOf(/^(?:[^\s:[\]]+|\[[\da-fA-F:.]+\]):(?!0)\d{1,5}$/, expected, (it) => {
    const colon = it.lastIndexOf(':');
    return { host: it.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(it.slice(colon + 1)) };
  })
    .refine((nodes) => nodes.every(({ port }) => port <= 65_535), expected)
    .meta({ expected });
}

function redisUrls() {
  const expected = 'URLs that begin with redis:// or rediss://, separated by commas';
  return listOf(/^rediss?:\/\/[^\s/]+/, expected, (it) => it).refine(
    (it) => it.every((url) => URL.canParse(url)),
    expected,
  );
}

function encryptionKeys() {
  const expected = 'id:key pairs, separated by commas: each id once, each key 32 bytes in base64';
  return listOf(/^[\w.-]{1,32}:[A-Za-z0-9+/_-]{43}=?$/, expected, (it) => {
    const [id = '', key = ''] = it.split(':');
    return { id, key };
  })
    .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, expected)
    .meta({ expected });
}
