import { z } from 'zod';
import { CacheOptionsError } from './cache.errors.js';
import type { CacheClock } from './clock.js';
import type { ObjectStore } from './object-store/object-store.js';

const positive = z.number().int().positive();
const wholeMs = z.number().int().nonnegative();
const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const functionOf = <F>() => z.custom<F>((it) => typeof it === 'function', 'give a function');

/** The tiers by name, nearest first. */
export const TIER_NAMES = ['memory', 'redis', 'object'] as const;
export type TierName = (typeof TIER_NAMES)[number];

/**
 * How values are loaded and how long they serve. A namespace sets the defaults, a call overrides them.
 * All times are whole milliseconds.
 */
const loadShape = {
  /** How long an expired value still serves at once, while a load in the background replaces it. @default 0 */
  staleWhileRevalidateMs: wholeMs.optional(),
  /** How long an expired value stands in when its load fails. @default 0 */
  staleIfErrorMs: wholeMs.optional(),
  /** Which errors of a loader a stale value may hide. @default every error */
  useStale: functionOf<(error: unknown) => boolean>().optional(),
  /**
   * Weight of early refresh: above 0, a fresh value is loaded anew in the background the more likely, the nearer its
   * end and the dearer its load (XFetch). 1 is the optimum of the paper. @default 0
   */
  earlyRefresh: z.number().min(0).max(100).optional(),
  /** Share of the life time by which it is shortened at random, 0 to 1. @default 0 */
  jitter: z.number().min(0).max(1).optional(),
  /** A caller who waits longer gets the stale value, when there is one; the load goes on. @default never */
  softTimeoutMs: positive.optional(),
  /** A load that takes longer is aborted and fails with `CacheLoadTimeoutError`. @default never */
  hardTimeoutMs: positive.optional(),
  /** How long the error of a load answers later callers too. @default 0, only those who wait for the load */
  errorTtlMs: wholeMs.optional(),
  /** Which errors `errorTtlMs` holds for. @default every error */
  cacheError: functionOf<(error: unknown) => boolean>().optional(),
  /** Life of a `null`; 0 does not store it. @default as any value */
  nullTtlMs: wholeMs.optional(),
  /** Life of an `undefined`, which is not stored unless this is given. @default 0 */
  undefinedTtlMs: wholeMs.optional(),
  /** Who shares one load of a key: the callers in this process, or in all processes on one Redis. @default 'process' */
  singleFlight: z.enum(['process', 'cluster']).optional(),
  /** How long the lease of a load in the cluster holds unless it is renewed, which happens by itself. @default 5,000 */
  leaseMs: positive.optional(),
  /** Where values are kept: `auto` decides by size. @default 'auto' */
  tiers: z.union([z.literal('auto'), z.array(z.enum(TIER_NAMES)).nonempty()]).optional(),
  /** Hands out a copy that the caller may change, instead of the shared frozen value. @default false */
  clone: z.boolean().optional(),
};

const compressionSchema = z.strictObject({
  algorithm: z.enum(['auto', 'brotli', 'gzip', 'none']).default('auto'),
  /** Smaller bodies are left as they are, bytes. */
  minBytes: positive.default(4_096),
});

const keySchema = z.strictObject({
  id: z.string().regex(/^[\w.-]{1,32}$/, 'use 1 to 32 letters, digits, "_", "." and "-"'),
  /** 32 bytes, or their base64 form. */
  key: z.union([
    z.instanceof(Uint8Array).refine((it) => it.length === 32, 'give 32 bytes'),
    z
      .string()
      .refine((it) => Buffer.from(it, 'base64').length === 32, 'give 32 bytes in base64')
      .transform((it): Uint8Array => Buffer.from(it, 'base64')),
  ]),
});

const namespaceSchema = z.strictObject({
  /** How long an entry is fresh unless the call says otherwise, milliseconds. */
  ttlMs: positive,
  /** Larger values are handed through and not kept, bytes. */
  maxEntryBytes: positive.default(100 * MIB),
  /** Raise it when the shape of the values changes: old and new programs then keep entries of their own. */
  schemaVersion: z.number().int().min(0).max(65_535).default(0),
  /** Of what leaves the process. */
  compression: compressionSchema.prefault({}),
  /** AES-256-GCM for what leaves the process. The first key encrypts, all of them decrypt. */
  encryption: z.strictObject({ keys: z.array(keySchema).nonempty() }).optional(),
  ...loadShape,
});

/** No colon in a namespace: it separates the parts of a Redis key. */
const namespaceName = z.string().regex(/^[A-Za-z][\w-]{0,63}$/, 'use letters, digits, "_" and "-"');

const redisUrl = z.string().regex(/^rediss?:\/\/\S+$/, 'use redis://host:port or rediss://host:port');
/** Deadline of one Redis operation, milliseconds. A timer fires late: with this one a silent Redis costs at most 100 ms. */
const redisTimeout = { timeoutMs: positive.default(90) };

const sentinelSchema = z.strictObject({
  nodes: z.array(z.strictObject({ host: z.string().min(1), port: positive.max(65_535) })).nonempty(),
  /** Name of the master, as the sentinels know it. */
  name: z.string().min(1),
  username: z.string().optional(),
  password: z.string().optional(),
  sentinelUsername: z.string().optional(),
  sentinelPassword: z.string().optional(),
  tls: z.boolean().default(false),
});

const clusterSchema = z.strictObject({
  /** Some nodes; the others are found through them. User, password and TLS of the first hold for all. */
  nodes: z.array(redisUrl).nonempty(),
  /** Parts into which the keys are divided over the slots. All processes of one prefix must agree on it. */
  buckets: positive.max(4_096).default(64),
});

const redisSchema = z.union(
  [
    z.strictObject({ url: redisUrl, ...redisTimeout }),
    z.strictObject({ sentinel: sentinelSchema, ...redisTimeout }),
    z.strictObject({ cluster: clusterSchema, ...redisTimeout }),
  ],
  { error: 'give one of { url: "redis://…" }, { sentinel: { nodes, name } } and { cluster: { nodes } }' },
);

const schema = z.strictObject({
  /** First part of every Redis key and of the channel; keep it different for each deployment on one Redis. */
  prefix: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'use letters, digits, "_", "." and "-"')
    .default('peregrine'),
  memory: z
    .strictObject({
      /** Bound of all values in memory, bytes (estimated). */
      maxBytes: positive.default(1024 * MIB),
      maxEntries: positive.default(50_000),
      /**
       * Longest life of a copy in memory, milliseconds: the bound of staleness while the bus is cut.
       * @default 60,000 above Redis or an object store; memory alone keeps an entry for all its life
       */
      ttlMs: positive.optional(),
      /** How often expired entries are swept out, milliseconds. */
      sweepIntervalMs: positive.default(300_000),
    })
    .prefault({}),
  redis: redisSchema.optional(),
  objectStore: z
    .strictObject({
      store: z.custom<ObjectStore>((it) => typeof (it as ObjectStore | null)?.get === 'function', {
        error: 'give an ObjectStore, such as new FolderStore({ path })',
      }),
      /** Values of this size and above live here instead of in Redis, bytes. */
      minBytes: positive.default(MIB),
      /** Longest life of an object, milliseconds. */
      ttlMs: positive.default(24 * HOUR_MS),
      /** Deadline of one operation, milliseconds. */
      timeoutMs: positive.default(5_000),
    })
    .optional(),
  /** Namespaces beside the ready ones; a ready one may be declared again with other limits. */
  namespaces: z.record(namespaceName, namespaceSchema).default({}),
  /** Answers false for keys that must not be cached just now, for example during a rollout. Called on every read. */
  enabled: functionOf<(namespace: string, key: string) => boolean>().optional(),
  /** Another clock than the machine's, for tests. */
  clock: z
    .custom<CacheClock>((it) => typeof (it as CacheClock | null)?.now === 'function', 'give a CacheClock')
    .optional(),
});

/** What `CacheModule.forRoot` and `createCache` take. */
export type CacheOptionsInput = z.input<typeof schema>;
/** Parsed options: defaults filled in, the ready namespaces added. */
export type CacheOptions = Readonly<z.output<typeof schema>>;
/** What a namespace may be declared with. */
export type NamespaceOptionsInput = z.input<typeof namespaceSchema>;
/** Limits and defaults of one namespace. */
export type NamespaceOptions = Readonly<z.output<typeof namespaceSchema>>;
/** How values are loaded and how long they serve. */
export type LoadOptions = Readonly<z.output<z.ZodObject<typeof loadShape>>>;
/** Where Redis is. */
export type RedisOptions = NonNullable<CacheOptions['redis']>;

const ready = (ttlMs: number) => namespaceSchema.parse({ ttlMs });

const READY_NAMESPACES: Readonly<Record<string, NamespaceOptions>> = {
  default: ready(HOUR_MS),
  content: ready(HOUR_MS),
  search: ready(HOUR_MS / 2),
  query: ready(HOUR_MS / 12),
};

/** Names of the namespaces that need no declaration. */
export const READY_NAMESPACE_NAMES = Object.keys(READY_NAMESPACES);

/** @throws {CacheOptionsError} with every problem at once. */
export function parseCacheOptions(input: CacheOptionsInput = {}): CacheOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new CacheOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
  return Object.freeze({
    ...parsed.data,
    namespaces: Object.freeze({ ...READY_NAMESPACES, ...parsed.data.namespaces }),
  });
}

/** Options of a namespace that is declared after the start. @throws {CacheOptionsError} */
export function parseNamespaceOptions(name: string, input: NamespaceOptionsInput): NamespaceOptions {
  const { namespaces } = parseCacheOptions({ namespaces: { [name]: input } });
  return namespaces[name] as NamespaceOptions;
}
