import { CacheUnknownKeyError } from '../cache.errors.js';
import type { Codec, DecodedEntry } from '../codec/codec.js';
import { namespaceOf, type Scope } from '../coherence/scopes.js';
import type { Bucket } from './bucket.js';
import type { Invalidator } from './invalidator.js';
import { evaluate, type RedisArgument } from './redis-connection.js';
import { SESSION_OVER } from './lua-fragments.js';
import { addressOfEntry } from './remote-batch.js';
import type { RedisCounters } from '../statistics/counters.js';
import type { RedisScript } from './redis-scripts.js';
import type { RedisServers } from './redis-servers.js';

/** Entries, and about bytes, in one command: a script holds up the whole server while it runs. */
const MAX_BATCH = 500;
const MAX_BATCH_BYTES = 4 * 2 ** 20;

/** Order of the invalidations in this process. */
export interface LocalOrder {
  now(): number;
  /** Whether the entry or one of its dependencies was invalidated here after `at`. */
  overtaken(entry: Scope, dependencies: readonly Scope[], at: number): boolean;
}

/** What a tier works with. */
export interface RedisTierParts {
  readonly servers: RedisServers;
  readonly invalidator: Invalidator;
  /** By namespace; without one, entries are not kept in Redis. */
  readonly codecs: ReadonlyMap<string, Codec>;
  readonly order: LocalOrder;
  readonly counters: RedisCounters;
  /** Gives a text that no process ever gives again. */
  readonly nextToken: () => string;
}

/** Entries that go into one command. */
export interface Batch<T> {
  readonly bucket: Bucket;
  readonly codec: Codec;
  readonly items: readonly T[];
}

/** What reading and writing have in common. */
export class TierCommands {
  constructor(readonly parts: RedisTierParts) {}

  /** The bucket of an entry and its codec; undefined when it can not be kept in Redis just now. */
  placeOf(entry: Scope): { readonly bucket: Bucket; readonly codec: Codec } | undefined {
    const bucket = this.parts.servers.bucketOf(entry);
    const codec = this.parts.codecs.get(namespaceOf(entry));
    return bucket.usable && codec !== undefined && entry.isWellFormed() ? { bucket, codec } : undefined;
  }

  /** Sorts by bucket and codec, in their order; leaves out what can not be kept in Redis just now. */
  batches<T extends { readonly entry: Scope; readonly envelope?: Buffer }>(items: readonly T[]): Batch<T>[] {
    const all: Batch<T>[] = [];
    const filling = new Map<Bucket, Map<Codec, { items: T[]; bytes: number }>>();
    for (const item of items) {
      const place = this.placeOf(item.entry);
      if (place === undefined) continue;
      const { bucket, codec } = place;
      const bytes = item.envelope?.length ?? 0;
      let ofBucket = filling.get(bucket);
      if (ofBucket === undefined)
        filling.set(bucket, (ofBucket = new Map<Codec, { items: T[]; bytes: number }>()));
      let batch = ofBucket.get(codec);
      if (batch === undefined || batch.items.length >= MAX_BATCH || batch.bytes + bytes > MAX_BATCH_BYTES) {
        ofBucket.set(codec, (batch = { items: [], bytes: 0 }));
        all.push({ bucket, codec, items: batch.items });
      }
      batch.items.push(item);
      batch.bytes += bytes;
    }
    return all;
  }

  /** Runs a script of a bucket. Rejects with whatever went wrong, which is counted. */
  async run(
    bucket: Bucket,
    script: RedisScript,
    args: readonly RedisArgument[],
    slow = false,
  ): Promise<unknown> {
    const { connection, session } = bucket;
    try {
      if (connection === undefined) throw new Error('the bucket has no server');
      return await connection.run(evaluate(script, bucket.key, [session, ...args]), slow);
    } catch (error) {
      this.parts.counters.errors++;
      throw error;
    }
  }

  /** As {@link run}, for what nobody misses: undefined when it fails. */
  async attempt(
    bucket: Bucket,
    script: RedisScript,
    args: readonly RedisArgument[],
    slow = false,
  ): Promise<unknown> {
    const { connection } = bucket;
    try {
      return await this.run(bucket, script, args, slow);
    } catch (error) {
      this.parts.servers.onFault(bucket, connection, error);
      return undefined;
    }
  }

  /** A script for one entry; its version and address go before the arguments. Undefined when Redis gave no usable answer. */
  async attemptFor(entry: Scope, script: RedisScript, args: readonly RedisArgument[]): Promise<unknown> {
    const place = this.placeOf(entry);
    return place && this.attempt(place.bucket, script, [place.codec.version, addressOfEntry(entry), ...args]);
  }

  /** An MGET that begins with the session key. Undefined when Redis gave no usable answer. */
  fetch(bucket: Bucket, command: string[]): Promise<readonly (Buffer | null)[] | undefined> {
    const { connection, session } = bucket;
    if (connection === undefined) return Promise.resolve(undefined);
    const fail = (error: unknown) => {
      this.parts.counters.errors++;
      this.parts.servers.onFault(bucket, connection, error);
      return undefined;
    };
    // No async function: this is the hot path, and every one costs it a turn.
    return connection.run(command).then((reply) => {
      // After bytes were lost on the way, an answer may be that of another command, of any shape.
      const values = Array.isArray(reply) ? (reply as (Buffer | null)[]) : [];
      const [first] = values;
      const isOurs = Buffer.isBuffer(first) && first.toString('latin1') === session;
      return isOurs ? values : fail(new Error(SESSION_OVER));
    }, fail);
  }

  /** Undefined, counted, when it can not be read. */
  decode(
    entry: Scope,
    envelope: Buffer,
    leftMs: number,
  ): DecodedEntry | undefined | Promise<DecodedEntry | undefined> {
    const unreadable = (error: unknown) => {
      if (error instanceof CacheUnknownKeyError) this.parts.counters.unknownKeys++;
      else this.parts.counters.undecodable++;
      return undefined;
    };
    try {
      const decoded = this.parts.codecs.get(namespaceOf(entry))?.decode(entry, envelope, leftMs);
      return decoded instanceof Promise ? decoded.catch(unreadable) : decoded;
    } catch (error) {
      return unreadable(error);
    }
  }
}
