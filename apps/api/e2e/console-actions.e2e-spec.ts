import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createDataSource } from '@peregrine/database';
import { createQueryOptimizer, type QueryOptimizer } from '@peregrine/query-optimizer';
import { createTaskQueue, defineTask, type StandaloneTaskQueue } from '@peregrine/task-queue';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser } from 'playwright-core';
import { z } from 'zod';
import { startBrowser } from './support/browser.js';
import { ConsolePage } from './support/console-page.js';
import { logIn } from './support/operator.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

jest.setTimeout(240_000);

/** As a process of another version had it: the worker does not read such payloads, at any attempt. */
const release = defineTask({ name: 'content.release-storage', payload: z.any() });
const GIVEN_UP = `
INSERT INTO cdn_invalidations (provider, kind, value, soft, state, attempts, ended_at, error)
VALUES ('nginx-cache', 'path', '/static/given-up.css', false, 'failed', 5, now(), 'It does not answer')`;
const SCHEMA = [
  'CREATE TABLE parcel (id int PRIMARY KEY, customer int NOT NULL, note text NOT NULL)',
  `INSERT INTO parcel SELECT i, i % 5000, 'note ' || i FROM generate_series(1, 50000) i`,
  'ANALYZE parcel',
];

interface Event {
  readonly action: string;
  readonly subject: string;
  readonly event: string;
  readonly detail: string | null;
  readonly actor: { readonly name: string };
  readonly requestId: string | null;
}

describe('the actions of the console', () => {
  let folder: string;
  let platform: Platform;
  let browser: Browser;
  let queue: StandaloneTaskQueue;
  /** Another program on the same database, which finds what it lacks. */
  let program: QueryOptimizer;

  beforeAll(async () => {
    // An empty cache folder: every purge of it succeeds.
    folder = await mkdtemp(join(tmpdir(), 'peregrine-console-actions-'));
    browser = await startBrowser();
    platform = await Platform.start({
      env: { CONSOLE_ACTIONS_ENABLED: 'true', CDN_PROVIDER: 'nginx-cache', CDN_CACHE_FOLDER: folder },
    });
    queue = await createTaskQueue({
      backend: 'redis',
      connection: platform.env['REDIS_URL'] ?? '',
      prefix: platform.env['QUEUE_PREFIX'] ?? '',
      worker: false,
      tasks: [{ definition: release }],
    });
    program = await recommendingProgram(platform.env['DATABASE_URL'] ?? '');
  });
  afterAll(async () => {
    await program?.close();
    await queue?.close();
    await browser?.close();
    await platform?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const open = () => ConsolePage.logIn(browser, platform);
  /** What the audit has of an action, the newest first: event and detail. */
  const audited = async (action: string, subject?: string) => {
    const { body } = await platform.request('GET', '/audit-events?limit=200', { key: platform.adminKey });
    const events = (body.items as Event[]).filter((it) => it.action === action);
    return events.filter((it) => subject === undefined || it.subject === subject);
  };
  const eventsOf = async (action: string, subject?: string) =>
    (await audited(action, subject)).map((it) => it.event);

  it('flush a namespace and the whole cache, after asking', async () => {
    const opened = await open();
    const { page } = opened;
    await opened.visit('cache');
    await page.getByRole('button', { name: 'Flush search' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await audited('cache.flush')).toEqual([]);
    await page.getByRole('button', { name: 'Flush search' }).click();
    // What does nothing is what Enter hits first.
    await page.locator('dialog[open] button:focus', { hasText: 'Cancel' }).waitFor();
    expect(await opened.axe()).toEqual([]);
    await opened.confirm('Flush', 'all entries of the namespace search');
    expect(await eventsOf('cache.flush', 'cache/search')).toEqual(['succeeded', 'requested']);
    await page.getByRole('button', { name: 'Flush everything' }).click();
    await opened.confirm('Flush everything', 'Removed all entries from');
    const [last] = await audited('cache.flush', 'cache');
    expect(last).toMatchObject({
      event: 'succeeded',
      actor: { name: 'bootstrap admin' },
      detail: expect.stringContaining('Removed all entries'),
      requestId: expect.any(String),
    });
    await opened.close();
  });

  it('set a rollout with the slider, and take it back', async () => {
    const opened = await open();
    const { page } = opened;
    await opened.visit('flags');
    await page.getByLabel('Share of keys for queryCacheEnabled, percent').fill('40');
    await page.getByRole('button', { name: 'Set queryCacheEnabled to 40 %' }).click();
    await opened.confirm('Set', 'queryCacheEnabled is on for 40 %');
    const rollout = () => platform.request('GET', '/optimizer/rollout', { key: platform.adminKey });
    expect((await rollout()).body).toMatchObject({ inForce: 40, override: 40 });
    await page.getByRole('button', { name: 'Reset queryCacheEnabled' }).click();
    await opened.confirm('Reset', 'as configured again');
    expect((await rollout()).body).toMatchObject({ inForce: 100, override: null });
    for (const action of ['flag.set', 'flag.reset']) {
      expect(await eventsOf(action, 'feature/queryCacheEnabled')).toEqual(['succeeded', 'requested']);
    }
    await opened.close();
  });

  it('put dead letters back to work, and delete them; the audit has what came of it', async () => {
    await queue.submitBatch(release, [
      { payload: { nonsense: 1 }, id: 'a' },
      { payload: { nonsense: 2 }, id: 'b' },
    ]);
    const opened = await open();
    const { page } = opened;
    await opened.visit('queue');
    await page.getByText('2 tasks failed for good').waitFor();
    await page.getByRole('button', { name: 'Redrive 2 tasks content.release-storage' }).click();
    await opened.confirm('Redrive', 'A task puts them back to work');
    // They fail again: that their cause is gone is for the operator to say.
    await until(async () => {
      const { body } = await platform.request('GET', '/tasks/dead-letters', { key: platform.adminKey });
      const letters = body.items as { redrives: number }[];
      return letters.length === 2 && letters.every(({ redrives }) => redrives === 1);
    });
    await page.getByRole('button', { name: 'Delete 2 tasks content.release-storage' }).click();
    await opened.confirm('Delete', 'A task removes them');
    await page.getByText('No task has failed for good').waitFor();
    await until(async () => (await eventsOf('dead-letters.purge')).includes('succeeded'));
    const [redriven] = await audited('dead-letters.redrive', 'dead-letters/content.release-storage');
    expect(redriven).toMatchObject({ event: 'succeeded', detail: '2 of 2 tasks are back to work' });
    expect((await audited('dead-letters.purge'))[0]?.detail).toBe('2 tasks are gone');
    await opened.close();
  });

  it('purge a path and everything, and send again what was given up', async () => {
    const source = await createDataSource({
      url: platform.env['DATABASE_URL'] ?? '',
      poolMax: 1,
    }).initialize();
    await source.query(GIVEN_UP);
    await source.destroy();
    const opened = await open();
    const { page } = opened;
    await opened.visit('cdn');
    await page.getByText('A purge was given up').waitFor();
    await page.getByLabel('Path or tag').fill('/static/a.css');
    await page.getByRole('button', { name: 'Purge /static/a.css' }).click();
    await opened.confirm('Purge', 'Queued');
    expect(await eventsOf('cdn.purge', 'cdn/path:/static/a.css')).toEqual(['succeeded', 'requested']);
    await page.getByRole('button', { name: 'Send again path /static/given-up.css to nginx-cache' }).click();
    await opened.confirm('Send again', 'Queued');
    // The verdict knows that it went through in the end.
    await page.getByText('A purge was given up').waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /path \/static\/given-up\.css nginx-cache done/ }).waitFor();
    await page.getByRole('button', { name: 'Purge everything' }).click();
    await opened.confirm('Purge everything', 'Queued');
    await opened.close();
  });

  it('build a recommended index with its progress on the screen, and take it back', async () => {
    const [{ id = '', plan } = {}] = await program.adaptiveIndexing.recommendations({ state: 'open' });
    const name = plan?.indexName ?? '';
    const opened = await open();
    const { page } = opened;
    await opened.visit('queries');
    const entry = page.locator('.entry', { hasText: name });
    await entry.getByText('would help').waitFor();
    // Somebody writes to the table: the build waits, and says so.
    await program.pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query('UPDATE parcel SET note = note WHERE id = 1');
      await page.getByRole('button', { name: `Apply ${name}` }).click();
      await opened.confirm('Apply', 'A task builds it');
      await entry
        .getByRole('status')
        .getByText(/It is being built, asked for by bootstrap admin/)
        .waitFor();
      await client.query('ROLLBACK');
    });
    await entry.getByText('built, helps').waitFor();
    await page.getByRole('button', { name: `Revert ${name}` }).click();
    await opened.confirm('Revert', 'A task drops it');
    await entry.getByText('taken back', { exact: true }).waitFor();
    const subject = `index-recommendation/${id}`;
    // The task writes down what came of it when it is done.
    await until(async () => (await eventsOf('index.revert', subject))[0] === 'succeeded');
    for (const action of ['index.apply', 'index.revert']) {
      expect(await eventsOf(action, subject)).toEqual(['succeeded', 'requested']);
    }
    expect(await opened.axe()).toEqual([]);
    await opened.visit('actions');
    const row = page.getByRole('row', { name: new RegExp(`index.revert ${subject}.* done `) });
    expect(await row.textContent()).toMatch(/Reverted by bootstrap admin.*bootstrap admin/);
    expect(await opened.axe()).toEqual([]);
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  it('show and write down what failed', async () => {
    const opened = await open();
    const { page } = opened;
    await opened.visit('cdn');
    await page.getByLabel('Path or tag').fill('/no path');
    await page.getByRole('button', { name: 'Purge /no path' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Purge', exact: true }).click();
    await page.locator('.notice.critical').waitFor();
    await opened.visit('actions');
    const row = page.getByRole('row', { name: /^cdn\.purge console/ });
    expect(await row.first().textContent()).toContain('failed');
    await opened.close();
  });

  it('write down a revert that is not possible, once, as failed', async () => {
    const { cookie, csrfToken } = await logIn(platform);
    const [{ id = '' } = {}] = await program.adaptiveIndexing.recommendations({ state: 'reverted' });
    const revert = (recommendation: string) =>
      platform.request('POST', '/console/api/actions/index.revert', {
        key: '',
        headers: { cookie, 'x-csrf-token': csrfToken },
        body: { recommendation },
      });
    expect((await revert('000000000000')).status).toBe(404);
    expect((await revert('a b')).status).toBe(400);
    // What stands already is answered with the task that did it.
    expect((await revert(id)).status).toBe(200);
    expect(await eventsOf('index.revert', 'index-recommendation/000000000000')).toEqual(['failed']);
    expect(await eventsOf('index.revert', `index-recommendation/${id}`)).toEqual(['succeeded', 'requested']);
  });

  it('do nothing that cannot be written down', async () => {
    const source = await createDataSource({
      url: platform.env['DATABASE_URL'] ?? '',
      poolMax: 1,
    }).initialize();
    await source.query(
      `ALTER TABLE audit_events ADD CONSTRAINT full_disk CHECK (action <> 'flag.set') NOT VALID`,
    );
    try {
      const { cookie, csrfToken } = await logIn(platform);
      const answer = await platform.request('POST', '/console/api/actions/flag.set', {
        key: '',
        headers: { cookie, 'x-csrf-token': csrfToken },
        body: { flag: 'queryCacheEnabled', percent: 7 },
      });
      expect(answer.status).toBe(500);
      const rollout = await platform.request('GET', '/optimizer/rollout', { key: platform.adminKey });
      expect(rollout.body).toMatchObject({ override: null });
    } finally {
      await source.query('ALTER TABLE audit_events DROP CONSTRAINT full_disk');
      await source.destroy();
    }
  });
});

async function recommendingProgram(connectionString: string): Promise<QueryOptimizer> {
  const common = {
    connectionString,
    pool: { min: 1, max: 5, reserve: 0 },
    cache: { enabled: false, listen: false },
  };
  // Its writes are no part of the workload.
  const loader = await createQueryOptimizer({ ...common, slowQueries: { enabled: false } });
  for (const statement of SCHEMA) await loader.execute(statement);
  await loader.close();
  const program = await createQueryOptimizer({
    ...common,
    slowQueries: { thresholdMs: 0 },
    adaptiveIndexing: { mode: 'recommend', evidence: { minCalls: 1, minTotalMs: 0 } },
  });
  for (let customer = 1; customer <= 5; customer++) {
    await program.execute(`SELECT id FROM parcel WHERE customer = ${customer}`, []);
  }
  await program.adaptiveIndexing.runRound();
  return program;
}
