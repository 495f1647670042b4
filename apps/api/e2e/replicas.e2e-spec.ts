import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '@peregrine/database';
import { PostgresServer, programsOfServer } from '@peregrine/query-optimizer/testing';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

interface Replica {
  readonly name: string;
  readonly state: 'up' | 'behind' | 'down';
  readonly lagMs: number | null;
  readonly reads: number;
  readonly failures: number;
}

/** Longer than any test: only what was written keeps a read from the standby then. */
const PATIENT_MS = '600000';
const BOUND_MS = 3_000;
const ROUNDS = 20;
const NOTHING_CACHED = { CACHE_ENABLED: 'false', QUERY_CACHE_ENABLED: 'false' };

describe('an api with a standby', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let platform: Platform;
  let workspace: string;

  beforeAll(async () => {
    primary = await PostgresServer.create(await programsOfServer(process.env['DATABASE_URL'] ?? ''));
    standby = await primary.createStandby();
    await primary.start();
    await standby.start();
    platform = await Platform.start({
      databaseUrl: primary.url,
      env: { DATABASE_REPLICA_URLS: standby.url, DATABASE_REPLICA_MAX_LAG_MS: PATIENT_MS, ...NOTHING_CACHED },
    });
    workspace = await platform.createWorkspace();
    await platform.upload(workspace, 'first.txt', 'a falcon');
    await platform.extracted(workspace);
  }, 180_000);
  afterAll(async () => {
    await platform?.stop();
    await standby?.remove();
    await primary?.remove();
  });

  async function replica(url = platform.url): Promise<Replica> {
    const { body } = await platform.request('GET', '/optimizer/report', { key: platform.adminKey, url });
    return body.replicas.replicas[0] as Replica;
  }
  const files = (url = platform.url) => platform.request('GET', `/workspaces/${workspace}/files`, { url });
  const isUp = async (url?: string) => (await replica(url)).state === 'up';
  /** Whether the standby is asked for the list. */
  const goesToStandby = async (url?: string) => {
    const before = (await replica(url)).reads;
    expect((await files(url)).status).toBe(200);
    return (await replica(url)).reads > before;
  };

  async function onStandby<T>(work: (run: (sql: string) => Promise<T[]>) => Promise<unknown>): Promise<void> {
    const source = await createDataSource({ url: standby.url, poolMax: 1 }).initialize();
    await work((sql) => source.query<T[]>(sql)).finally(() => source.destroy());
  }
  /** What comes from the primary is kept, and not replayed before `resume`. */
  const pause = () =>
    onStandby<{ state: string }>(async (run) => {
      await run('SELECT pg_wal_replay_pause()');
      const state = async () => (await run('SELECT pg_get_wal_replay_pause_state() AS state'))[0]?.state;
      await until(async () => (await state()) === 'paused');
    });
  const resume = () => onStandby((run) => run('SELECT pg_wal_replay_resume()'));

  it('reads from it', async () => {
    await until(() => isUp());
    await until(() => goesToStandby());
    expect((await files()).body.items).toMatchObject([{ path: 'first.txt' }]);
    const [host] = (await replica()).name.split(':');
    expect(host).toBe('127.0.0.1');
  });

  it('reads what it has written, however far behind the standby is', async () => {
    const cached = await platform
      .spawn('api', { CACHE_ENABLED: 'true', QUERY_CACHE_ENABLED: 'true' })
      .listening();
    await until(async () => (await isUp()) && (await isUp(cached)));
    const { file } = await platform.upload(workspace, 'gone.txt', 'soon');
    try {
      for (let round = 0; round < ROUNDS; round++) {
        if (round === ROUNDS / 2) await pause();
        for (const url of [platform.url, cached]) {
          const name = `round ${round} of ${url}`;
          const path = `/workspaces/${workspace}`;
          expect((await platform.request('PATCH', path, { body: { name }, url })).status).toBe(200);
          expect((await platform.request('GET', path, { url })).body.name).toBe(name);
        }
      }
      await platform.request('DELETE', `/workspaces/${workspace}/files/${file.id}`);
      expect((await files()).body.items).toMatchObject([{ path: 'first.txt' }]);
      // A task finds the row that it was submitted with: workers ask no replica.
      await platform.upload(workspace, 'second.txt', 'a kestrel');
      await platform.extracted(workspace);
      expect((await files()).body.items).toMatchObject([{ path: 'first.txt' }, { path: 'second.txt' }]);
    } finally {
      await resume();
    }
    await until(() => goesToStandby());
  }, 120_000);

  it('has workers that ask the primary alone, since they act on what they read', async () => {
    const { body } = await platform.request('GET', '/metrics', { url: platform.workerUrls[0] ?? '' });
    expect(String(body)).toMatch(/^db_query_latency_count [1-9]/m);
    expect(String(body)).not.toMatch(/^db_replica_up/m);
    expect(String((await platform.request('GET', '/metrics')).body)).toMatch(/^db_replica_up.* 1$/m);
  });

  it('does not let a key in that another api has revoked', async () => {
    const sibling = await platform.spawn('api', { CACHE_ENABLED: 'true' }).listening();
    const { body: made } = await platform.request('POST', '/api-keys', {
      key: platform.adminKey,
      body: { name: 'short', scopes: ['content:read'], workspaceIds: [] },
    });
    const status = async () =>
      (await platform.request('GET', '/workspaces', { key: made.key, url: sibling })).status;
    expect(await status()).toBe(200);
    await until(() => goesToStandby(sibling));
    await pause();
    try {
      const revoked = await platform.request('DELETE', `/api-keys/${made.id}`, { key: platform.adminKey });
      expect(revoked.status).toBe(204);
      await until(async () => (await status()) === 401);
    } finally {
      await resume();
    }
  }, 120_000);

  it('leaves it out while it is further behind than the bound', async () => {
    const strict = await platform.spawn('api', { DATABASE_REPLICA_MAX_LAG_MS: String(BOUND_MS) }).listening();
    await until(() => goesToStandby(strict));
    await pause();
    try {
      // Of another api, so it is the bound alone that keeps this one away.
      await platform.request('PATCH', `/workspaces/${workspace}`, { body: { name: 'behind' } });
      const patchedAt = performance.now();
      // Slow answers make it `behind`, too, and not for long: from here on it is by what it has not replayed, or by no answer.
      await until(() => performance.now() - patchedAt > BOUND_MS);
      expect(['behind', 'down']).toContain((await replica(strict)).state);
      for (let i = 0; i < 5; i++) expect(await goesToStandby(strict)).toBe(false);
    } finally {
      await resume();
    }
    await until(() => goesToStandby(strict));
  }, 120_000);

  it('answers every request when it is killed, and uses it again when it is back', async () => {
    await until(() => goesToStandby());
    const statuses = new Set<number>();
    let isOver = false;
    let answered = 0;
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const { status } = await files();
        statuses.add(status);
        answered++;
      }
    });
    const more = (n: number) => {
      const least = answered + n;
      return until(() => answered >= least);
    };
    try {
      await more(50);
      await standby.kill();
      await until(async () => (await replica()).state === 'down');
      await more(50);
    } finally {
      isOver = true;
      await Promise.all(clients);
    }
    expect([...statuses]).toEqual([200]);
    expect(await goesToStandby()).toBe(false);
    await standby.start();
    await until(() => goesToStandby());
  }, 120_000);
});
