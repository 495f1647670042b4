import { ask, RedisServer } from './redis-server.js';
import { until } from './until.js';

const SLOTS = 16_384;
const MASTERS = 3;

/** Three masters of the test's own, joined to a cluster. */
export class RedisCluster {
  private constructor(readonly masters: readonly RedisServer[]) {}

  static async start(): Promise<RedisCluster> {
    const options = [
      '--cluster-enabled',
      'yes',
      '--cluster-node-timeout',
      '2000',
      '--cluster-require-full-coverage',
      'no',
    ];
    const masters = await Promise.all(Array.from({ length: MASTERS }, () => RedisServer.start(...options)));
    const cluster = new RedisCluster(masters);
    const [first] = masters;
    for (const [i, master] of masters.entries()) {
      const from = Math.floor((i * SLOTS) / MASTERS);
      const to = Math.floor(((i + 1) * SLOTS) / MASTERS) - 1;
      await ask(master.url, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
      if (master !== first) await ask(master.url, 'CLUSTER', 'MEET', '127.0.0.1', String(first?.port));
    }
    await cluster.settled();
    return cluster;
  }

  get urls(): string[] {
    return this.masters.map((it) => it.url);
  }

  /** All of them agree that every slot is served. */
  async settled(): Promise<void> {
    await until(async () => {
      const states = await Promise.all(
        this.masters.map(async ({ url }) => {
          const info = String(await ask(url, 'CLUSTER', 'INFO').catch(() => ''));
          return (
            info.includes('cluster_state:ok') &&
            info.includes(`cluster_slots_ok:${SLOTS}`) &&
            info.includes('cluster_known_nodes:3')
          );
        }),
      );
      return states.every(Boolean);
    });
  }

  async idOf(master: RedisServer): Promise<string> {
    return String(await ask(master.url, 'CLUSTER', 'MYID'));
  }

  /** The master that serves the slot, as the first that answers says. */
  async ownerOf(slot: number): Promise<RedisServer> {
    const ranges = (await ask(this.urls[0]!, 'CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const [, , [, port]] = ranges.find(([from, to]) => from <= slot && slot <= to)!;
    return this.masters.find((it) => it.port === port)!;
  }

  /** Begins to move a slot: what is asked for and not there any more is answered with ASK. */
  async beginMove(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    await ask(to.url, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', await this.idOf(from));
    await ask(from.url, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', await this.idOf(to));
  }

  /** Moves the keys of the slot, at most so many. */
  async moveKeys(slot: number, from: RedisServer, to: RedisServer, count = 10_000): Promise<void> {
    const keys = (await ask(from.url, 'CLUSTER', 'GETKEYSINSLOT', String(slot), String(count))) as string[];
    if (keys.length === 0) return;
    await ask(from.url, 'MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'REPLACE', 'KEYS', ...keys);
  }

  /** The slot is the other's from now on. */
  async endMove(slot: number, to: RedisServer): Promise<void> {
    const id = await this.idOf(to);
    for (const { url } of [to, ...this.masters.filter((it) => it !== to)]) {
      await ask(url, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', id);
    }
  }

  async remove(): Promise<void> {
    await Promise.all(this.masters.map((it) => it.remove()));
  }
}
