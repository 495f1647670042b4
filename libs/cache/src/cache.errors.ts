/** Base of every error of this library; `code` is stable across releases. */
export abstract class CacheError extends Error {
  abstract readonly code: `CACHE_${string}`;
  override get name(): string {
    return this.constructor.name;
  }
}

/** The options do not fit the schema; `message` lists every problem. Thrown while the module is built. */
export class CacheOptionsError extends CacheError {
  readonly code = 'CACHE_OPTIONS';
  constructor(problems: string, options?: ErrorOptions) {
    super(`The cache options are wrong:\n${problems}`, options);
  }
}

/** The namespace is neither a ready one nor declared in the options. */
export class UnknownNamespaceError extends CacheError {
  readonly code = 'CACHE_UNKNOWN_NAMESPACE';
  constructor(
    readonly namespace: string,
    readonly known: readonly string[],
  ) {
    super(
      `Cache namespace "${namespace}" is not declared; add it to the "namespaces" option (known: ${known.join(', ')})`,
    );
  }
}

/** A time that a call or a loader gives is not a whole number of milliseconds in its range. */
export class InvalidTtlError extends CacheError {
  readonly code = 'CACHE_INVALID_TTL';
  constructor(
    readonly ttlMs: number,
    readonly option = 'ttlMs',
  ) {
    super(`${option} must be a whole, positive number of milliseconds, not ${ttlMs}`);
  }
}

/** The value can not be kept. Never reaches a caller: the value is returned uncached, counted and logged once. */
export class UncacheableValueError extends CacheError {
  readonly code = 'CACHE_UNCACHEABLE_VALUE';
  constructor(readonly reason: string) {
    super(`The value can not be cached: ${reason}`);
  }
}

/** Something read from Redis is not what this version writes. Counts as a miss. */
export class CacheFormatError extends CacheError {
  readonly code = 'CACHE_FORMAT';
  constructor(what: string, options?: ErrorOptions) {
    super(`Redis answered in an unknown format: ${what}`, options);
  }
}

/** The loader took longer than `hardTimeoutMs`; its signal was aborted, and what it may still bring is dropped. */
export class CacheLoadTimeoutError extends CacheError {
  readonly code = 'CACHE_LOAD_TIMEOUT';
  constructor(
    readonly key: string,
    readonly timeoutMs: number,
  ) {
    super(`The load of "${key}" did not end within ${timeoutMs} ms`);
  }
}

/** Reason of a loader's signal: every caller who waited has gone. */
export class CacheLoadAbandonedError extends CacheError {
  readonly code = 'CACHE_LOAD_ABANDONED';
  constructor(readonly key: string) {
    super(`Nobody waits for the load of "${key}" any more`);
  }
}

/** The cache was closed while the load ran. */
export class CacheClosedError extends CacheError {
  readonly code = 'CACHE_CLOSED';
  constructor() {
    super('The cache was closed');
  }
}

/** A loader used its context in a way that makes no sense. */
export class CacheLoaderError extends CacheError {
  readonly code = 'CACHE_LOADER';
  constructor(
    readonly key: string,
    problem: string,
  ) {
    super(`The loader of "${key}" is wrong: ${problem}`);
  }
}

/** A key, a tag or a list of them is not what it must be. */
export class InvalidKeyError extends CacheError {
  readonly code = 'CACHE_INVALID_KEY';
  constructor(what: string) {
    super(what);
  }
}

/** A list of tags or content hashes is not what it must be. */
export class InvalidTagsError extends CacheError {
  readonly code = 'CACHE_INVALID_TAGS';
  constructor(problem: string) {
    super(`The tags are wrong: ${problem}`);
  }
}

/** The arguments of a decorated method have no key of their own. Rejects the call, or fails the start. */
export class CacheKeyError extends CacheError {
  readonly code = 'CACHE_KEY';
  /** @param method the method as `Class.method` */
  constructor(
    readonly method: string,
    problem: string,
  ) {
    super(`No cache key for ${method}: ${problem}. Give the decorator a "key" function`);
  }
}

/** A cache decorator stands where it can not work. Thrown while the class is defined. */
export class CacheDecoratorError extends CacheError {
  readonly code = 'CACHE_DECORATOR';
  constructor(
    readonly method: string,
    problem: string,
  ) {
    super(`${method}: ${problem}`);
  }
}

/** A decorated method was called on an object that has no cache. Rejects the call. */
export class CacheNotInjectedError extends CacheError {
  readonly code = 'CACHE_NOT_INJECTED';
  constructor(readonly method: string) {
    super(
      `${method} is decorated for the cache, but its object has none: let Nest make the object, with ` +
        'CacheModule.forRoot() imported, or give it one with bindCache(object, cache). In a constructor it is too early',
    );
  }
}

/** An object store could not do what it was asked for. Stays inside the cache, where it counts as an error of the tier. */
export class ObjectStoreError extends CacheError {
  readonly code = 'CACHE_OBJECT_STORE';
  constructor(
    /** Kind of store: `folder`, `s3`. */
    readonly store: string,
    readonly operation: string,
    options?: ErrorOptions,
  ) {
    // No `instanceof`: errors of the system may come from another realm.
    const cause = options?.cause as Partial<Error> | undefined;
    super(`The ${store} store can not ${operation}: ${cause?.message ?? 'no answer'}`, options);
  }
}

/** No room: the disk is full, or all of the store's room is taken by objects that are being written. */
export class ObjectStoreFullError extends CacheError {
  readonly code = 'CACHE_OBJECT_STORE_FULL';
  constructor(what: string, options?: ErrorOptions) {
    super(`The object store has no room: ${what}`, options);
  }
}

/** The object, its key or its metadata is larger than the store takes at all. */
export class ObjectTooLargeError extends CacheError {
  readonly code = 'CACHE_OBJECT_TOO_LARGE';
  constructor(
    readonly what: string,
    readonly limitBytes: number,
  ) {
    super(`The ${what} is larger than ${limitBytes} bytes`);
  }
}

/** A name or value of an object's metadata is not allowed. */
export class ObjectMetadataError extends CacheError {
  readonly code = 'CACHE_OBJECT_METADATA';
  constructor(problem: string) {
    super(`The metadata of an object is wrong: ${problem}`);
  }
}

/** Bytes of an object are missing or changed. It was removed; a stream of it ends with this error. */
export class DamagedObjectError extends CacheError {
  readonly code = 'CACHE_OBJECT_DAMAGED';
  constructor(what: string, options?: ErrorOptions) {
    super(`An object is damaged: ${what}`, options);
  }
}

/** `bytes` of a call, or what `weigh` answered, is not a finite number of 0 or more. */
export class InvalidWeightError extends CacheError {
  readonly code = 'CACHE_INVALID_WEIGHT';
  constructor(readonly bytes: number) {
    super(`The bytes of an entry must be a finite number of 0 or more, not ${bytes}`);
  }
}

/** What is wrong with the Redis that the options name. */
export type CacheRedisErrorCode =
  /** It refuses the credentials, or they permit too little. */
  | 'CACHE_REDIS_AUTH'
  /** It is older than 6.2. */
  | 'CACHE_REDIS_VERSION'
  /** It is not of the kind that the options say: a sentinel, a node of a cluster, a replica, no Redis at all. */
  | 'CACHE_REDIS_UNSUPPORTED'
  /** It can not be reached, or does not answer. */
  | 'CACHE_REDIS_UNAVAILABLE';

/**
 * Redis can not be used. Never reaches a caller: the cache works without it, logs this once, and shows it in
 * `stats().redis.lastError` until Redis is used again. The message names no credentials.
 */
export class CacheRedisError extends CacheError {
  constructor(
    override readonly code: CacheRedisErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The value has no binary form. Never reaches a caller: the entry is not kept in Redis, and counted as refused. */
export class CacheEncodingError extends CacheError {
  readonly code = 'CACHE_ENCODING';
  constructor(options?: ErrorOptions) {
    super('The value has no binary form', options);
  }
}

/** An entry was encrypted with a key that is not among the namespace's. Counts as a miss. */
export class CacheUnknownKeyError extends CacheError {
  readonly code = 'CACHE_UNKNOWN_KEY';
  constructor(readonly keyId: string) {
    super(`No key "${keyId}" is among the encryption keys`);
  }
}
