import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createTaskQueue, defineTask, type StandaloneTaskQueue } from '@peregrine/task-queue';
import { rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

// A machine that is busy with something else must not fail them.
jest.setTimeout(180_000);

/** As a process of another version had it: the worker will not read such payloads, at any attempt. */
const release = defineTask({ name: 'content.release-storage', payload: z.any() });

/** More than lies in the database. */
const LARGE = 'found again '.repeat(20_000);

describe.each([
  ['on Redis', true],
  ['on PostgreSQL', false],
])('dead letters over HTTP, %s,', (_, redis) => {
  let platform: Platform;
  let other: StandaloneTaskQueue;

  beforeAll(async () => {
    platform = await Platform.start({ redis });
    other = await createTaskQueue({
      backend: redis ? 'redis' : 'postgres',
      connection: platform.env[redis ? 'REDIS_URL' : 'DATABASE_URL'] ?? '',
      prefix: platform.env['QUEUE_PREFIX'] ?? '',
      worker: false,
      tasks: [{ definition: release }],
    });
  });
  afterAll(async () => {
    await other?.close();
    await platform?.stop();
  });

  const admin = (method: string, path: string, body?: object) =>
    platform.request(method, `/tasks/dead-letters${path}`, {
      key: platform.adminKey,
      ...(body && { body }),
    });
  const ids = (answer: { body: { items: { id: string }[] } }) => answer.body.items.map((it) => it.id);
  /** Tasks that fail at once and for good. */
  const kill = async (...names: string[]) => {
    const items = names.map((id) => ({ payload: { nonsense: id }, id }));
    await other.submitBatch(release, items);
    await until(async () => ids(await admin('GET', '?limit=200')).length >= names.length);
    return names.map((it) => `${release.name}~${it}`);
  };
  const untilDead = (count: number) =>
    until(async () => ids(await admin('GET', '?limit=200')).length === count);
  const taskEnded = async (url: string) => {
    const look = async () =>
      (await platform.request('GET', url.replace('/api/v1', ''), { key: platform.adminKey })).body as Record<
        string,
        unknown
      >;
    await until(async () => (await look())['finishedAt'] !== null);
    return look();
  };

  it('lists, groups and inspects them, a page at a time', async () => {
    const dead = await kill('a', 'b', 'c');
    await untilDead(3);
    const first = await admin('GET', '?limit=2');
    const second = await admin('GET', `?limit=2&cursor=${first.body.nextCursor}`);
    expect([...ids(first), ...ids(second)].toSorted()).toEqual(dead);
    expect(second.body.nextCursor).toBeNull();
    const groups = (await admin('GET', '/groups')).body.items;
    expect(groups).toMatchObject([{ task: release.name, count: 3 }]);
    expect(groups[0].ids.toSorted()).toEqual(dead);
    const { fingerprint } = groups[0];
    expect(ids(await admin('GET', `?fingerprint=${fingerprint}&error=resourceIds`))).toHaveLength(3);
    expect(ids(await admin('GET', `?task=content.extract-text`))).toEqual([]);
    const future = new Date(Date.now() + 60_000).toISOString();
    expect(ids(await admin('GET', `?failedSince=${future}`))).toEqual([]);
    expect(ids(await admin('GET', `?failedBefore=${future}`))).toHaveLength(3);
    expect(await admin('GET', `/${dead[0]}`)).toMatchObject({
      status: 200,
      body: { id: dead[0], payload: { nonsense: 'a' }, attempts: 1, redrives: 0, failures: [] },
    });
    expect(
      (await platform.request('GET', '/tasks/stats', { key: platform.adminKey })).body.deadLettered,
    ).toBe(3);
  });

  it('redrives one, once, and some by their ids', async () => {
    const before = (await admin('GET', `/${release.name}~a`)).body;
    expect(await admin('POST', `/${release.name}~a/redrive`)).toMatchObject({
      status: 200,
      body: { matched: 1, redriven: 1, skipped: 0 },
    });
    // It fails again.
    await until(async () => (await admin('GET', `/${release.name}~a`)).body.redrives === 1);
    const after = (await admin('GET', `/${release.name}~a`)).body;
    expect(after.failures).toMatchObject([{ error: before.error }]);
    const some = { task: release.name, ids: ['b', 'c', 'nobody'] };
    expect(await admin('POST', '/redrive', { ...some, dryRun: true })).toMatchObject({
      status: 200,
      body: { matched: 3, redriven: 0 },
    });
    expect(await admin('POST', '/redrive', some)).toMatchObject({
      status: 200,
      body: { matched: 3, redriven: 2, skipped: 1, skips: { 'not-found': 1 } },
    });
    await untilDead(3);
  });

  it('answers 409 to the second of two redrives, and 404 to what is not there', async () => {
    const workspace = await platform.createWorkspace();
    await platform.upload(workspace, 'a.txt', 'alpha');
    await platform.extracted(workspace);
    const { file } = await platform.upload(workspace, 'b.txt', 'beta');
    await platform.extracted(workspace);
    const done = `content.extract-text~extract-${file.id}-1`;
    for (const [method, path] of [
      ['POST', `/${done}/redrive`],
      ['GET', `/${done}`],
      ['DELETE', `/${done}`],
    ] as const) {
      expect(await admin(method, path)).toMatchObject({ status: 409, body: { code: 'TASK_QUEUE_NOT_DEAD' } });
    }
    for (const path of ['/no.such-task~x', '/content.extract-text~nobody']) {
      expect(await admin('GET', path)).toMatchObject({ status: 404, body: { code: 'TASK_QUEUE_NOT_FOUND' } });
    }
  });

  it('brings a file to its text when what made it fail is over', async () => {
    const workspace = await platform.createWorkspace();
    const away = `${platform.storageFolder}-away`;
    await platform.upload(workspace, 'first.txt', LARGE.replaceAll('found', 'there'));
    await platform.extracted(workspace);
    const [worker] = platform.workers;
    await worker!.stop();
    const { file } = await platform.upload(workspace, 'lost.txt', LARGE);
    await rename(platform.storageFolder, away);
    platform.workers[0] = platform.spawn('worker');
    const reference = `content.extract-text~extract-${file.id}-${file.revision}`;
    await until(async () => (await admin('GET', `/${reference}`)).status === 200);
    expect((await admin('GET', '/groups?task=content.extract-text')).body.items).toHaveLength(1);
    // The worker has made an empty one.
    await rm(platform.storageFolder, { recursive: true, force: true });
    await rename(away, platform.storageFolder);
    const answer = await admin('POST', '/redrive', { task: 'content.extract-text' });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(answer.body.url);
    expect(await taskEnded(answer.body.url)).toMatchObject({
      state: 'completed',
      result: { matched: 1, redriven: 1, skipped: 0 },
    });
    // Asked for earlier, the search would be cached, and without Redis nobody hears that it has changed.
    await until(async () => {
      const { body } = await platform.request('GET', `/workspaces/${workspace}/statistics`);
      return body.byStatus.extracted === 2;
    });
    const { body } = await platform.request('GET', `/workspaces/${workspace}/search?q=found`);
    expect(body.items).toHaveLength(1);
  });

  it('redrives many slowly, in the background, and purges them', async () => {
    const slow = await admin('POST', '/redrive', { task: release.name, ids: ['a', 'b'], ratePerSecond: 100 });
    expect(await taskEnded(slow.body.url)).toMatchObject({
      task: 'dead-letters.redrive',
      result: { redriven: 2 },
    });
    await untilDead(3);
    const dry = await admin('POST', '/purge', { all: true, dryRun: true });
    expect(dry).toMatchObject({ status: 200, body: { matched: 3, purged: 0 } });
    expect(await admin('DELETE', `/${release.name}~a`)).toMatchObject({ status: 204, body: '' });
    expect(await admin('DELETE', `/${release.name}~a`)).toMatchObject({ status: 404 });
    const some = await admin('POST', '/purge', { task: release.name, ids: ['b'] });
    expect(some).toMatchObject({ status: 200, body: { matched: 1, purged: 1 } });
    const all = await admin('POST', '/purge', { all: true });
    expect(all.status).toBe(202);
    expect((await taskEnded(all.body.url))['result']).toEqual({ matched: 1, purged: 1 });
    expect(ids(await admin('GET', ''))).toEqual([]);
  });

  it.each([
    ['POST', '/redrive', {}, 'body'],
    ['POST', '/purge', {}, 'body'],
    ['POST', '/redrive', { all: true, task: 'x' }, 'body'],
    ['POST', '/redrive', { all: false }, 'body.all'],
    ['POST', '/redrive', { ids: ['x'] }, 'body.ids'],
    ['POST', '/redrive', { ids: ['x'], task: 'x', error: 'y' }, 'body.ids'],
    ['POST', '/redrive', { ids: [], task: 'x' }, 'body.ids'],
    ['POST', '/redrive', { task: 'x', ratePerSecond: 0 }, 'body.ratePerSecond'],
    ['POST', '/purge', { task: 'x', ratePerSecond: 1 }, 'body'],
    ['POST', '/purge', { task: 'x', dryRun: 'yes' }, 'body.dryRun'],
    ['GET', '?limit=0', undefined, 'query.limit'],
    ['GET', '?fingerprint=zz', undefined, 'query.fingerprint'],
    ['GET', '/groups?failedSince=yesterday', undefined, 'query.failedSince'],
    ['GET', '/nonsense', undefined, 'path.taskId'],
  ])('refuses %s %s with %j, and who is no admin', async (method, path, body, field) => {
    const answer = await admin(method, path, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(answer.body.errors[0].field).toBe(field);
    const denied = await platform.request(method, `/tasks/dead-letters${path}`, { ...(body && { body }) });
    expect(denied.status).toBe(403);
  });

  it('refuses a cursor and an id that are none', async () => {
    for (const path of ['?cursor=nonsense', '/x~a:b']) {
      expect(await admin('GET', path)).toMatchObject({
        status: 400,
        body: { code: 'TASK_QUEUE_INVALID_DEAD_LETTER_QUERY' },
      });
    }
    const answer = await admin('POST', '/redrive', { task: 'x', ids: ['a:b'] });
    expect(answer.status).toBe(400);
  });
});
