import { CacheRedisError } from '../cache.errors.js';
import type { RedisOptions } from '../cache.options.js';
import { askOnce, serverName, type ClientTarget } from './redis-client.js';
import { describeFault } from './redis-faults.js';
import type { Layout, Topology } from './topology.js';

export type SentinelOptions = Extract<RedisOptions, { sentinel: unknown }>['sentinel'];

/** Above the time in which a host that is up refuses or answers. */
const ASK_MS = 1_000;

/** One master, which the sentinels name; the connection to it checks that it is one. */
export class SentinelTopology implements Topology {
  readonly kind = 'sentinel';
  readonly bucketCount = 1;
  readonly #sentinels: readonly ClientTarget[];

  constructor(private readonly options: SentinelOptions) {
    const { nodes, tls, sentinelUsername: username, sentinelPassword: password } = options;
    this.#sentinels = nodes.map(({ host, port }) => ({ host, port, tls, username, password }));
  }

  /** Asks all sentinels, since one that is cut off may still name the old master: what most of them say holds. */
  async discover(): Promise<Layout> {
    const answers = await Promise.allSettled(this.#sentinels.map((it) => this.#ask(it)));
    const votes = new Map<string, { target: ClientTarget; count: number }>();
    for (const answer of answers) {
      if (answer.status === 'rejected') continue;
      const name = serverName(answer.value);
      votes.set(name, { target: answer.value, count: (votes.get(name)?.count ?? 0) + 1 });
    }
    const [first] = [...votes].sort(([, a], [, b]) => b.count - a.count);
    if (first === undefined) throw this.#nobody(answers);
    return new Map([[first[0], { target: first[1].target, buckets: [0] }]]);
  }

  async #ask(sentinel: ClientTarget): Promise<ClientTarget> {
    const { name, tls, username, password } = this.options;
    const reply = await askOnce(sentinel, ['SENTINEL', 'get-master-addr-by-name', name], ASK_MS);
    const [host, port] = Array.isArray(reply) ? (reply as string[]) : [];
    if (host === undefined || port === undefined) {
      throw new CacheRedisError(
        'CACHE_REDIS_UNSUPPORTED',
        `The sentinel at ${serverName(sentinel)} knows no master "${name}"`,
      );
    }
    return { host, port: Number(port), tls, username, password };
  }

  /** The most telling of their errors. */
  #nobody(answers: readonly PromiseSettledResult<unknown>[]): CacheRedisError {
    const errors = answers.map((it, i) =>
      describeFault(
        serverName(this.#sentinels[i] as ClientTarget),
        it.status === 'rejected' ? it.reason : undefined,
      ),
    );
    const [first] = errors;
    return (
      errors.find((it) => it.code !== 'CACHE_REDIS_UNAVAILABLE') ??
      first ??
      new CacheRedisError('CACHE_REDIS_UNAVAILABLE', 'There is no sentinel to ask')
    );
  }
}
