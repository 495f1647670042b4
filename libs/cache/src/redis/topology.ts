import type { RedisOptions } from '../cache.options.js';
import { ClusterTopology } from './cluster-topology.js';
import { serverName, targetOf, type ClientTarget } from './redis-client.js';
import type { RedisConnection } from './redis-connection.js';
import { SentinelTopology } from './sentinel-topology.js';
import type { ServerKind } from './server-facts.js';

/** A master and the buckets that are on it. */
export interface Placement {
  readonly target: ClientTarget;
  readonly buckets: readonly number[];
}

/** The masters by name (`host:port`). */
export type Layout = ReadonlyMap<string, Placement>;

/** Knows which servers there are and what is where. */
export interface Topology {
  readonly kind: ServerKind;
  readonly bucketCount: number;
  /**
   * Asks where the buckets are now.
   * @param connections those that can be used
   * @throws {CacheRedisError} when nobody can tell
   */
  discover(connections: readonly RedisConnection[]): Promise<Layout>;
}

/** One server for ever. */
class SingleTopology implements Topology {
  readonly kind = 'single';
  readonly bucketCount = 1;
  readonly #layout: Layout;

  constructor(url: string) {
    const target = targetOf(url);
    this.#layout = new Map([[serverName(target), { target, buckets: [0] }]]);
  }

  discover(): Promise<Layout> {
    return Promise.resolve(this.#layout);
  }
}

/** @throws {TypeError} when a URL is none */
export function topologyOf(options: RedisOptions, prefix: string): Topology {
  if ('url' in options) return new SingleTopology(options.url);
  if ('sentinel' in options) return new SentinelTopology(options.sentinel);
  return new ClusterTopology(options.cluster, prefix);
}
