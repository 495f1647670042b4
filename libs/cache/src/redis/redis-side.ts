import type { CacheRedisError } from '../cache.errors.js';
import type { RedisOptions } from '../cache.options.js';
import type { Codec } from '../codec/codec.js';
import { InvalidationBus } from '../coherence/bus.js';
import type { Generations } from '../coherence/generations.js';
import { namespaceOf, type Scope } from '../coherence/scopes.js';
import { BusPublisher } from './bus-publisher.js';
import { BusSubscriber } from './bus-subscriber.js';
import { Invalidator } from './invalidator.js';
import { RedisCounters } from '../statistics/counters.js';
import { RedisServers } from './redis-servers.js';
import { RedisTier } from './redis-tier.js';
import { topologyOf } from './topology.js';

/** How often a process repeats the number of its last message in a cluster, where a message may be lost between nodes. */
const HEARTBEAT_MS = 5_000;

/** What the owner does and wants to know. */
export interface RedisSideHooks {
  /** Another process has invalidated these. */
  onInvalidated(scopes: readonly Scope[]): void;
  /** Messages of other processes may have been missed up to now. @param reason undefined for the very first subscription */
  onSuspicion(reason: string | undefined): void;
  onAvailable(server: string): void;
  /** Told once for each kind of error until Redis is available again. */
  onUnavailable(error: CacheRedisError): void;
}

/** What can be told about Redis just now. */
export interface RedisState {
  /** Whether entries can be read and kept; in a cluster, some of them. */
  readonly available: boolean;
  /** Whether invalidations of other processes are being received. */
  readonly subscribed: boolean;
  /** Whether the breaker of some server is open. */
  readonly breakerOpen: boolean;
  /** Invalidations that wait for Redis to come back. */
  readonly pendingInvalidations: number;
  /** Why a server can not be used; null when all can. */
  readonly lastError: { readonly code: string; readonly message: string } | null;
  /** The masters in use. */
  readonly servers: readonly { readonly name: string; readonly ready: boolean; readonly buckets: number }[];
}

/** The Redis side as one: tier, servers, bus. */
export class RedisSide {
  readonly tier: RedisTier;
  readonly counters = new RedisCounters();
  readonly #bus = new InvalidationBus();
  readonly #servers: RedisServers;
  readonly #publisher: BusPublisher;
  readonly #subscriber: BusSubscriber;
  readonly #clustered: boolean;
  #heartbeat: NodeJS.Timeout | undefined;
  #tokens = 0;

  /** @param codecs by namespace; may grow */
  constructor(
    options: RedisOptions,
    prefix: string,
    codecs: ReadonlyMap<string, Codec>,
    generations: Generations,
    private readonly hooks: RedisSideHooks,
  ) {
    const channel = `${prefix}:invalidations`;
    const topology = topologyOf(options, prefix);
    this.#clustered = topology.kind === 'cluster';
    this.#publisher = new BusPublisher(channel, this.#bus, () => this.#servers.connections.values());
    this.#servers = new RedisServers(topology, prefix, options.timeoutMs, this.counters, {
      willPublish: (scopes) => this.#publisher.unpublished.add(scopes),
      publishPending: () => this.#publisher.flush(),
      hasUnpublished: () => this.#publisher.unpublished.size > 0,
      onLayout: (layout) => this.#subscriber.follow(layout),
      onAvailable: (server) => hooks.onAvailable(server),
      onUnavailable: (error) => hooks.onUnavailable(error),
    });
    this.#subscriber = new BusSubscriber(channel, {
      onMessage: (text) => this.#onMessage(text),
      onSubscribed: (again) => this.#onSubscribed(again),
    });
    this.tier = new RedisTier({
      servers: this.#servers,
      invalidator: new Invalidator(this.#servers, this.#publisher, this.counters),
      codecs,
      order: {
        now: () => generations.now(),
        overtaken: (entry, dependencies, at) =>
          generations.moved(namespaceOf(entry), entry, generations.tagSlots(dependencies), at),
      },
      counters: this.counters,
      nextToken: () => `${this.#bus.id}.${(++this.#tokens).toString(36)}`,
    });
  }

  get state(): RedisState {
    const { buckets, connections, lastError } = this.#servers;
    const pending = new Set(this.#publisher.unpublished.scopes);
    for (const bucket of buckets) for (const scope of bucket.pending.scopes) pending.add(scope);
    const servers = [...connections.values()];
    return {
      available: this.tier.ready,
      subscribed: this.#subscriber.alive,
      breakerOpen: servers.some((it) => it.breakerOpen),
      pendingInvalidations: pending.size,
      lastError: lastError === undefined ? null : { code: lastError.code, message: lastError.message },
      servers: servers.map((it) => ({
        name: it.name,
        ready: it.ready,
        buckets: buckets.filter((bucket) => bucket.connection === it).length,
      })),
    };
  }

  /** Connects in the background; resolves when it can be used, or after the deadline of one operation. */
  async open(): Promise<void> {
    if (this.#clustered) this.#heartbeat = setInterval(() => this.#publisher.beat(), HEARTBEAT_MS).unref();
    await this.#servers.open();
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    await Promise.all([this.#subscriber.close(), this.#servers.close()]);
  }

  #onMessage(text: string): void {
    const event = this.#bus.receive(text);
    if (event.kind === 'own') return;
    this.counters.messages++;
    this.hooks.onInvalidated(event.scopes);
    if (event.kind === 'suspect') this.#suspect(event.reason);
  }

  #onSubscribed(again: boolean): void {
    this.#bus.forgetPublishers();
    if (again) this.#suspect('the subscription was interrupted');
    else this.hooks.onSuspicion(undefined);
  }

  #suspect(reason: string): void {
    this.counters.suspicions++;
    this.hooks.onSuspicion(reason);
  }
}
