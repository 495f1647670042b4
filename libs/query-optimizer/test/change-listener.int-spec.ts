import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ChangeListener, type ChangeListenerInput } from '../src/changes/change-listener.js';
import { SilentProxy } from './silent-proxy.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

describe('ChangeListener', () => {
  let database: TestDatabase;
  let proxy: SilentProxy;
  const listeners: ChangeListener[] = [];

  const listen = (input: Partial<ChangeListenerInput> = {}) => {
    const listener = new ChangeListener({
      connectionString: proxy.url,
      connectTimeoutMs: 500,
      origin: 'me',
      maxStalenessMs: 500,
      changed: () => Promise.resolve(),
      listening: () => Promise.resolve(),
      ...input,
    });
    listeners.push(listener);
    return listener;
  };
  const notify = (payload: string) =>
    database.run('SELECT pg_notify($1, $2)', ['peregrine_changes', payload]);

  beforeAll(async () => {
    database = await TestDatabase.create();
  });
  beforeEach(async () => {
    proxy = await SilentProxy.start(database.url);
  });
  afterEach(async () => {
    await Promise.all(listeners.splice(0).map((it) => it.stop()));
    await proxy.stop();
  });
  afterAll(() => database.drop());

  it('trusts a wire that has gone silent no longer than it says, and comes back by another', async () => {
    let begun = 0;
    const listener = listen({
      listening: () => {
        begun++;
        return Promise.resolve();
      },
    });
    await listener.start();
    await until(() => listener.isHearing);
    proxy.silence();
    await until(() => !listener.isHearing);
    const before = begun;
    proxy.speak();
    await until(() => begun > before && listener.isHearing);
  });

  it('has handled what was told before when it hears itself', async () => {
    const heard: number[] = [];
    const listener = listen({
      maxStalenessMs: 60_000,
      changed: async (table) => {
        await new Promise(setImmediate);
        heard.push(table);
      },
    });
    await listener.start();
    await notify('7 another');
    await notify('8 me');
    await notify('echo another 1');
    await notify('9 ');
    await listener.echo();
    expect(heard).toEqual([7, 9]);
  });

  it('trusts nothing before whoever listens is ready', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = listen({ maxStalenessMs: 60_000, listening: () => promise });
    const starting = listener.start();
    expect(listener.isHearing).toBe(false);
    await expect(listener.echo()).rejects.toMatchObject({ code: 'QUERY_NOT_LISTENING' });
    resolve();
    await starting;
    expect(listener.isHearing).toBe(true);
  });

  it('stops while it connects, while nothing answers, and when nobody is there', async () => {
    proxy.silence();
    const connecting = listen({ connectTimeoutMs: 600_000 });
    const starting = connecting.start();
    await connecting.stop();
    await starting;
    proxy.speak();
    const silent = listen({ maxStalenessMs: 600_000 });
    await silent.start();
    proxy.silence();
    await silent.stop();
    expect(silent.isHearing).toBe(false);
    const alone = listen({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
    await alone.start();
    expect(alone.isHearing).toBe(false);
  });
});
