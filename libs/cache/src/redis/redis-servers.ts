import type { CacheRedisError } from '../cache.errors.js';
import { hashOf } from '../coherence/hash.js';
import type { Scope } from '../coherence/scopes.js';
import { Bucket } from './bucket.js';
import type { ClientTarget } from './redis-client.js';
import { RedisConnection, type ConnectionHooks } from './redis-connection.js';
import type { RedisCounters } from '../statistics/counters.js';
import { describeFault, faultOf } from './redis-faults.js';
import type { Layout, Topology } from './topology.js';

/** How often the layout is asked for without a reason. */
const REFRESH_MS = 5_000;
/** The least time between two questions that have a reason. */
const REFRESH_PAUSE_MS = 200;
const REPAIR_MS = 250;
/** Pending invalidations of all buckets together, about. */
const MAX_PENDING = 10_000;

/** What the owner does and wants to know. */
export interface ServersHooks {
  /** What was replayed is to be published once more. */
  willPublish(scopes: readonly Scope[]): void;
  /** Publishes what waits for it; rejects when it can not. */
  publishPending(): Promise<void>;
  hasUnpublished(): boolean;
  /** Which masters there are, after each look. */
  onLayout(layout: ReadonlyMap<string, { readonly target: ClientTarget }>): void;
  onAvailable(server: string): void;
  /** Told once for each kind of error until that server is available again. */
  onUnavailable(error: CacheRedisError): void;
}

/**
 * The masters and the buckets on them. Follows the topology: a bucket that is on another server starts there with a
 * session of its own, and with the invalidations that were pending.
 */
export class RedisServers {
  readonly buckets: readonly Bucket[];
  readonly #connections = new Map<string, RedisConnection>();
  readonly #connectionHooks: ConnectionHooks;
  /** Buckets that their server has not, as far as is known: its recovery does not wait for them. */
  readonly #misplaced = new Set<Bucket>();
  readonly #repairing = new Set<Bucket>();
  #opening: Promise<void>[] = [];
  #closed = false;
  #urgent = false;
  #refreshing: Promise<void> | undefined;
  #refreshTimer: NodeJS.Timeout | undefined;
  #repairTimer: NodeJS.Timeout | undefined;
  #lastError: CacheRedisError | undefined;

  constructor(
    private readonly topology: Topology,
    prefix: string,
    private readonly timeoutMs: number,
    private readonly counters: RedisCounters,
    private readonly hooks: ServersHooks,
  ) {
    const { bucketCount } = topology;
    const maxPending = Math.max(100, Math.ceil(MAX_PENDING / bucketCount));
    this.buckets = Array.from({ length: bucketCount }, (_, i) => new Bucket(prefix, i, maxPending));
    this.#connectionHooks = {
      recover: (it) => this.#recover(it),
      isRecovered: (it) =>
        this.#of(it).every((bucket) => bucket.open || this.#misplaced.has(bucket)) && !hooks.hasUnpublished(),
      onSuspended: (it) => {
        for (const bucket of this.#of(it)) bucket.close();
        this.refreshSoon();
      },
      onAvailable: (it) => {
        hooks.onAvailable(it.name);
        this.#repairLater();
      },
      onUnavailable: (_, error) => hooks.onUnavailable(error),
    };
  }

  get connections(): ReadonlyMap<string, RedisConnection> {
    return this.#connections;
  }

  /** Why something can not be used; undefined when all can. */
  get lastError(): CacheRedisError | undefined {
    if (this.#lastError !== undefined) return this.#lastError;
    for (const { lastError } of this.#connections.values()) if (lastError !== undefined) return lastError;
    return undefined;
  }

  bucketOf(entry: Scope): Bucket {
    const { buckets } = this;
    return buckets[buckets.length === 1 ? 0 : hashOf(entry) % buckets.length] as Bucket;
  }

  /** Connects in the background; resolves when all are ready, or after the deadline of one operation. */
  async open(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.timeoutMs).unref()));
    const opened = this.#refresh().then(async () => void (await Promise.all(this.#opening)));
    await Promise.race([opened, late]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#repairTimer);
    await Promise.all([...this.#connections.values()].map((it) => it.close()));
    await this.#refreshing;
  }

  /** Something is not where it was thought to be, or a server is gone. */
  refreshSoon(): void {
    if (this.topology.kind === 'single' || this.#closed || this.#urgent) return;
    this.#urgent = true;
    this.#scheduleRefresh();
  }

  /** A command for a bucket failed. What it was to invalidate has been postponed by the caller. */
  onFault(bucket: Bucket, connection: RedisConnection | undefined, error: unknown): void {
    const fault = faultOf(error);
    if (fault === 'moved' || fault === 'session') bucket.close();
    if (fault === 'moved' || fault === 'moving') this.refreshSoon();
    // An invalidation that was not carried out: only a recovery of the connection can tell what became of it.
    else if (fault !== 'session' && !bucket.open) connection?.suspend(error);
    if (!bucket.open) this.#repair();
  }

  /** Recovers the closed buckets of servers that are in use. */
  #repair(): void {
    for (const bucket of this.buckets) {
      const { connection } = bucket;
      if (this.#closed || bucket.open || this.#repairing.has(bucket) || connection?.ready !== true) continue;
      this.#repairing.add(bucket);
      void this.#repairBucket(bucket, connection).finally(() => {
        this.#repairing.delete(bucket);
        if (!bucket.open) this.#repairLater();
      });
    }
  }

  async #repairBucket(bucket: Bucket, connection: RedisConnection): Promise<void> {
    try {
      await bucket.recover((scopes) => this.hooks.willPublish(scopes));
      this.#misplaced.delete(bucket);
      await this.hooks.publishPending();
    } catch (error) {
      this.counters.errors++;
      const fault = faultOf(error);
      if (fault === 'moved' || fault === 'moving') this.refreshSoon();
      else if (fault !== 'session') connection.suspend(error);
    }
  }

  #repairLater(): void {
    if (this.#closed || this.#repairTimer !== undefined) return;
    this.#repairTimer = setTimeout(() => {
      this.#repairTimer = undefined;
      this.#repair();
    }, REPAIR_MS).unref();
  }

  /** Recovers the buckets of one connection. Rejects when one does not get through that ought to. */
  async #recover(connection: RedisConnection): Promise<void> {
    const closed = this.#of(connection).filter((it) => !it.open);
    const results = await Promise.allSettled(
      closed.map((it) => it.recover((scopes) => this.hooks.willPublish(scopes))),
    );
    let failure: Error | undefined;
    for (const [i, result] of results.entries()) {
      const bucket = closed[i] as Bucket;
      const fault = result.status === 'rejected' ? faultOf(result.reason) : undefined;
      if (fault === 'moved' || fault === 'moving') this.#misplaced.add(bucket);
      else this.#misplaced.delete(bucket);
      if (this.#misplaced.has(bucket)) this.refreshSoon();
      else if (result.status === 'rejected') failure ??= result.reason as Error;
    }
    if (failure !== undefined) throw failure;
    if (!connection.started) throw new Error('the connection changed during recovery');
    await this.hooks.publishPending();
  }

  #of(connection: RedisConnection): Bucket[] {
    return this.buckets.filter((it) => it.connection === connection);
  }

  #scheduleRefresh(): void {
    clearTimeout(this.#refreshTimer);
    if (this.topology.kind === 'single' || this.#closed) return;
    const ms = this.#urgent ? REFRESH_PAUSE_MS : REFRESH_MS;
    this.#refreshTimer = setTimeout(() => void this.#refresh(), ms).unref();
  }

  #refresh(): Promise<void> {
    this.#urgent = false;
    this.#refreshing ??= this.#look().finally(() => {
      this.#refreshing = undefined;
      this.#scheduleRefresh();
    });
    return this.#refreshing;
  }

  async #look(): Promise<void> {
    try {
      const usable = [...this.#connections.values()].filter((it) => it.ready);
      const layout = await this.topology.discover(usable);
      this.#lastError = undefined;
      if (!this.#closed) this.#apply(layout);
    } catch (error) {
      this.counters.errors++;
      this.#urgent = true;
      const described = describeFault(this.topology.kind, error);
      const told = this.#lastError?.code === described.code;
      this.#lastError = described;
      if (!told && !this.#closed) this.hooks.onUnavailable(described);
    }
  }

  #apply(layout: Layout): void {
    for (const [name, { target, buckets }] of layout) {
      const connection = this.#connections.get(name) ?? this.#connect(name, target);
      for (const index of buckets) this.buckets[index]?.moveTo(connection);
    }
    for (const [name, connection] of this.#connections) {
      if (layout.has(name)) continue;
      this.#connections.delete(name);
      void connection.close();
    }
    this.hooks.onLayout(layout);
    this.#repair();
  }

  #connect(name: string, target: ClientTarget): RedisConnection {
    const { topology, timeoutMs, counters } = this;
    const connection = new RedisConnection(target, topology.kind, timeoutMs, counters, this.#connectionHooks);
    this.#connections.set(name, connection);
    this.#opening.push(connection.open());
    return connection;
  }
}
