import { isEntry, type Scope } from '../coherence/scopes.js';
import { MAX_SCOPES, type Bucket } from './bucket.js';
import type { BusPublisher } from './bus-publisher.js';
import { evaluate } from './redis-connection.js';
import type { RedisCounters } from '../statistics/counters.js';
import { SCRIPTS } from './redis-scripts.js';
import type { RedisServers } from './redis-servers.js';

/** Raises generations in Redis, and tells the other processes after that. */
export class Invalidator {
  constructor(
    private readonly servers: RedisServers,
    private readonly publisher: BusPublisher,
    private readonly counters: RedisCounters,
  ) {}

  /**
   * One command for each bucket (one entry: one bucket, all the rest: every bucket) and 1,000 scopes, all sent at once. What
   * does not get through is kept and replayed. Never rejects.
   */
  async invalidate(scopes: readonly Scope[]): Promise<void> {
    const parts = this.#partition(scopes);
    const sent: Promise<void>[] = [];
    for (const [bucket, own] of parts) {
      for (let from = 0; from < own.length; from += MAX_SCOPES) {
        const part = own.slice(from, from + MAX_SCOPES);
        if (bucket.sendable) sent.push(this.#send(bucket, part));
        else bucket.postpone(part);
      }
    }
    await this.announce([...parts.keys()], sent, scopes);
  }

  /**
   * Publishes what the commands under way have changed: behind them on their own connection where all of them go through the
   * one that publishes, else when they are done. A message must not come before the change that it tells of.
   */
  async announce(
    buckets: readonly Bucket[],
    sent: readonly Promise<void>[],
    scopes: readonly Scope[],
  ): Promise<void> {
    const { connection } = this.publisher;
    if (buckets.every((it) => it.connection === connection)) {
      await Promise.all([...sent, this.publisher.publish(scopes)]);
    } else {
      await Promise.all(sent);
      await this.publisher.publish(scopes);
    }
  }

  /** Keeps what a failed command ought to have invalidated. */
  postpone(bucket: Bucket, scopes: readonly Scope[], error: unknown): void {
    const { connection } = bucket;
    this.counters.errors++;
    bucket.postpone(scopes);
    this.servers.onFault(bucket, connection, error);
  }

  async #send(bucket: Bucket, scopes: readonly Scope[]): Promise<void> {
    const { connection } = bucket;
    const command = evaluate(SCRIPTS.INVALIDATE, bucket.key, [bucket.session, ...scopes]);
    try {
      // While it is recovering, this goes behind what is being replayed.
      await (connection?.ready === true ? connection.run(command) : connection?.runInRecovery(command));
    } catch (error) {
      this.postpone(bucket, scopes, error);
    }
  }

  #partition(scopes: readonly Scope[]): ReadonlyMap<Bucket, readonly Scope[]> {
    const { buckets } = this.servers;
    const [only] = buckets;
    if (buckets.length === 1 && only !== undefined) return new Map([[only, scopes]]);
    const parts = new Map<Bucket, Scope[]>();
    const put = (bucket: Bucket, scope: Scope) => {
      const part = parts.get(bucket);
      if (part === undefined) parts.set(bucket, [scope]);
      else part.push(scope);
    };
    for (const scope of scopes) {
      if (isEntry(scope)) put(this.servers.bucketOf(scope), scope);
      else for (const bucket of buckets) put(bucket, scope);
    }
    return parts;
  }
}
