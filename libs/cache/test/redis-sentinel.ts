import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask, freePort, RedisServer } from './redis-server.js';
import { until } from './until.js';

export const MASTER_NAME = 'mymaster';
const SENTINELS = 3;
/** A machine that is slow for a while only takes longer: the sentinels go on by themselves. */
const FAILOVER_LIMIT_MS = 90_000;

interface Sentinel {
  readonly port: number;
  readonly process: ChildProcess;
}

/** A master, a replica and three sentinels of the test's own. */
export class RedisSentinel {
  private constructor(
    readonly servers: readonly [RedisServer, RedisServer],
    private readonly sentinels: readonly Sentinel[],
  ) {}

  static async start(): Promise<RedisSentinel> {
    const atOnce = ['--repl-diskless-sync-delay', '0'];
    const master = await RedisServer.start(...atOnce);
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(master.port), ...atOnce);
    const sentinels: Sentinel[] = [];
    for (let i = 0; i < SENTINELS; i++) sentinels.push(await startSentinel(master));
    const all = new RedisSentinel([master, replica], sentinels);
    await until(() => all.#ready());
    return all;
  }

  get nodes(): { host: string; port: number }[] {
    return this.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  /** The master, as the first sentinel says. */
  async master(): Promise<RedisServer> {
    const [, port] = (await ask(this.#urls[0]!, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)) as [
      string,
      string,
    ];
    return this.servers.find((it) => it.port === Number(port))!;
  }

  /** Makes the replica the master; resolves when the servers have changed places and all sentinels say so. */
  async failover(): Promise<void> {
    const before = await this.master();
    const after = this.servers.find((it) => it !== before)!;
    await until(() => this.#ready(), FAILOVER_LIMIT_MS);
    await ask(this.#urls[0]!, 'SENTINEL', 'FAILOVER', MASTER_NAME);
    await until(async () => (await this.master()) !== before, FAILOVER_LIMIT_MS);
    await until(async () => (await this.#ready()) && (await hasRole(after, 'master')), FAILOVER_LIMIT_MS);
    await until(() => hasRole(before, 'slave'), FAILOVER_LIMIT_MS);
  }

  async remove(): Promise<void> {
    for (const { process } of this.sentinels) {
      process.kill('SIGKILL');
      if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
    }
    await Promise.all(this.servers.map((it) => it.remove()));
  }

  get #urls(): string[] {
    return this.sentinels.map(({ port }) => `redis://127.0.0.1:${port}`);
  }

  /** Every sentinel knows the replica, which is in step, and the others. */
  async #ready(): Promise<boolean> {
    const known = await Promise.all(
      this.#urls.map(async (url) => {
        const flat = (await ask(url, 'SENTINEL', 'MASTER', MASTER_NAME).catch(() => [])) as string[];
        const fact = (name: string) => flat[flat.indexOf(name) + 1];
        const replicas = (await ask(url, 'SENTINEL', 'REPLICAS', MASTER_NAME).catch(() => [])) as string[][];
        const inStep = replicas.some((it) => it[it.indexOf('master-link-status') + 1] === 'ok');
        return inStep && fact('flags') === 'master' && Number(fact('num-other-sentinels')) === SENTINELS - 1;
      }),
    );
    return known.every(Boolean);
  }
}

async function hasRole({ url }: RedisServer, role: 'master' | 'slave'): Promise<boolean> {
  const info = await ask(url, 'INFO', 'replication').catch(() => '');
  return String(info).includes(`role:${role}`);
}

/**
 * Milliseconds. A sentinel whose timer was held up for longer than the trigger does nothing for half a minute (TILT).
 * One that has not heard of a failover for four publish periods turns the new master back into a replica.
 */
const PACE = {
  'INFO-PERIOD': 200,
  'PING-PERIOD': 200,
  'ASK-PERIOD': 200,
  'PUBLISH-PERIOD': 500,
  'TILT-TRIGGER': 60_000,
  'TILT-PERIOD': 1_000,
};

async function startSentinel(master: RedisServer): Promise<Sentinel> {
  const port = await freePort();
  const file = join(master.folder, `sentinel-${port}.conf`);
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${master.folder}`,
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${MASTER_NAME} 1000`,
    `sentinel failover-timeout ${MASTER_NAME} 3000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const process = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  await until(() => ask(url, 'PING').then(Boolean, () => false));
  // Left alone they look at each other every ten seconds. Redis 6.2 can not do otherwise.
  for (const [name, ms] of Object.entries(PACE)) {
    await ask(url, 'SENTINEL', 'DEBUG', name, String(ms)).catch(() => undefined);
  }
  return { port, process };
}
