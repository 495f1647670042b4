import { CacheFormatError, CacheRedisError } from '../cache.errors.js';
import { hashTag } from './bucket.js';
import { slotOfTag } from './cluster-slots.js';
import { askOnce, serverName, targetOf, type ClientTarget } from './redis-client.js';
import type { RedisConnection } from './redis-connection.js';
import { describeFault } from './redis-faults.js';
import type { Layout, Topology } from './topology.js';

export interface ClusterOptions {
  /** `redis://` URLs of some nodes. */
  readonly nodes: readonly string[];
  readonly buckets: number;
}

const ASK_MS = 1_000;
const COMMAND = ['CLUSTER', 'SLOTS'];

interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly host: string;
  readonly port: number;
}

/** The masters of a cluster, from any node that answers. User, password and TLS are those of the first URL. */
export class ClusterTopology implements Topology {
  readonly kind = 'cluster';
  readonly bucketCount: number;
  readonly #seeds: readonly ClientTarget[];
  readonly #slots: readonly number[];
  /** Nodes seen lately: the cluster may have left the seeds behind. */
  #known: readonly ClientTarget[] = [];

  constructor({ nodes, buckets }: ClusterOptions, prefix: string) {
    this.#seeds = nodes.map(targetOf);
    this.bucketCount = buckets;
    this.#slots = Array.from({ length: buckets }, (_, i) => slotOfTag(hashTag(prefix, i).slice(1, -1)));
  }

  /** One node after the other, in random order, since one that is cut off may tell an old state. */
  async discover(connections: readonly RedisConnection[]): Promise<Layout> {
    const errors: CacheRedisError[] = [];
    for (const connection of shuffled(connections)) {
      try {
        return this.#layout(await connection.runInRecovery(COMMAND), connection.name.replace(/:\d+$/, ''));
      } catch (error) {
        errors.push(describeFault(connection.name, error));
      }
    }
    for (const target of new Set([...shuffled(this.#known), ...shuffled(this.#seeds)])) {
      try {
        return this.#layout(await askOnce(target, COMMAND, ASK_MS), target.host);
      } catch (error) {
        errors.push(describeFault(serverName(target), error));
      }
    }
    const [first] = errors;
    const telling = errors.find((it) => it.code !== 'CACHE_REDIS_UNAVAILABLE') ?? first;
    throw telling ?? new CacheRedisError('CACHE_REDIS_UNAVAILABLE', 'There is no node to ask');
  }

  /** @param asked host of the node that answered; an empty host in its answer means itself */
  #layout(reply: unknown, asked: string): Layout {
    const ranges = parseSlots(reply, asked);
    const layout = new Map<string, { target: ClientTarget; buckets: number[] }>();
    for (const [bucket, slot] of this.#slots.entries()) {
      const range = ranges.find(({ from, to }) => from <= slot && slot <= to);
      if (range === undefined) continue;
      const target: ClientTarget = { ...this.#seeds[0], host: range.host, port: range.port };
      const name = serverName(target);
      const place = layout.get(name);
      if (place === undefined) layout.set(name, { target, buckets: [bucket] });
      else place.buckets.push(bucket);
    }
    if (layout.size === 0) {
      throw new CacheRedisError(
        'CACHE_REDIS_UNAVAILABLE',
        `The cluster that ${asked} belongs to serves no slot`,
      );
    }
    this.#known = [...layout.values()].map((it) => it.target);
    return layout;
  }
}

/** `[[from, to, [host, port, …], replicas …], …]`. @throws {CacheFormatError} */
function parseSlots(reply: unknown, asked: string): SlotRange[] {
  if (!Array.isArray(reply)) throw new CacheFormatError('CLUSTER SLOTS');
  return reply.map((it: unknown) => {
    const [from, to, master] = it as [unknown, unknown, unknown[] | undefined];
    const [host, port] = master ?? [];
    if (typeof from !== 'number' || typeof to !== 'number' || typeof port !== 'number') {
      throw new CacheFormatError('CLUSTER SLOTS');
    }
    const name = Buffer.isBuffer(host) || typeof host === 'string' ? host.toString() : '';
    return { from, to, host: name === '' || name === '?' ? asked : name, port };
  });
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}
