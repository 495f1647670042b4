import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { buildRelease } from '@peregrine/cdn';
import { createQueryOptimizer } from '@peregrine/query-optimizer';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser } from 'playwright-core';
import { startBrowser } from './support/browser.js';
import { CONSOLE_PAGES, ConsolePage, type ConsolePageName } from './support/console-page.js';
import { Platform } from './support/platform.js';

jest.setTimeout(240_000);

const NAMES = Object.keys(CONSOLE_PAGES) as ConsolePageName[];
const SECRET = 'hunter2-of-another-tenant';
const SCHEMA = [
  'CREATE TABLE parcel (id int PRIMARY KEY, customer int NOT NULL, note text NOT NULL)',
  `INSERT INTO parcel SELECT i, i % 5000, 'note ' || i FROM generate_series(1, 50000) i`,
  'CREATE INDEX parcel_twice_1 ON parcel (note)',
  'CREATE INDEX parcel_twice_2 ON parcel (note)',
  'ANALYZE parcel',
];

describe('the pages of the console', () => {
  let folder: string;
  let platform: Platform;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-console-pages-'));
    await buildAssets(folder);
    browser = await startBrowser();
    platform = await Platform.start({ env: { CDN_ROOT: join(folder, 'release') } });
    await askSlowly(platform.env['DATABASE_URL'] ?? '');
    // What was slow before it started is read then.
    await platform.api.stop();
    await platform.restartApi();
    const workspace = await platform.createWorkspace();
    await platform.upload(workspace, 'a.txt', 'peregrine');
    await platform.extracted(workspace);
    await platform.request('GET', `/workspaces/${workspace}/search?q=peregrine`);
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const logIn = (options?: Parameters<typeof ConsolePage.logIn>[2]) =>
    ConsolePage.logIn(browser, platform, options);

  it.each(['light', 'dark'] as const)('have no fault that axe finds, %s', async (colorScheme) => {
    const opened = await ConsolePage.open(browser, platform, { colorScheme });
    expect(await opened.axe()).toEqual([]);
    await opened.enterKey();
    for (const name of NAMES) {
      await opened.visit(name);
      if (name === 'runbooks') await opened.page.getByRole('link', { name: 'QueueStalled' }).waitFor();
      expect([name, await opened.axe()]).toEqual([name, []]);
    }
    await opened.visit('queries');
    await opened.page
      .getByRole('link', { name: /FROM parcel/ })
      .first()
      .click();
    await opened.page.getByRole('heading', { name: 'The latest plan' }).first().waitFor();
    expect(await opened.axe()).toEqual([]);
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  it('fit the width of a phone', async () => {
    const opened = await logIn({ viewport: { width: 360, height: 740 } });
    for (const name of NAMES) {
      await opened.visit(name);
      expect([name, await opened.width()]).toEqual([name, 360]);
      // The navigation scrolls to it.
      await opened.isInView('nav [aria-current]');
      expect([name, await opened.axe()]).toEqual([name, []]);
    }
    await opened.page.getByRole('link', { name: 'Switches' }).click();
    await opened.page.getByRole('heading', { name: /^Switches/ }).waitFor();
    expect(await opened.width()).toBe(360);
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  it('are reached with the keyboard alone, also the logout', async () => {
    const opened = await ConsolePage.open(browser, platform);
    const { page } = opened;
    await page.getByLabel('Admin key').waitFor();
    await page.keyboard.type('pgn_wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The key is unknown, expired or revoked').waitFor();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(platform.adminKey);
    await page.keyboard.press('Enter');
    await opened.isLive();
    // Skip link, logout, then the pages in their order.
    await page.keyboard.press('Tab');
    expect(await opened.focused()).toBe('Skip to the content');
    await page.keyboard.press('Tab');
    expect(await opened.focused()).toBe('Log out');
    for (const name of NAMES) {
      await page.keyboard.press('Tab');
      expect(await opened.focused()).toContain(CONSOLE_PAGES[name]);
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Runbooks' }).waitFor();
    // Past the list into the first runbook, and back.
    await page.getByRole('link', { name: 'CacheHitRateLow' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 3, name: 'What it means' }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Admin key').waitFor();
    await page.reload();
    await page.getByLabel('Admin key').waitFor();
    await opened.close();
  });

  it('say first how the platform is, and show routes, limits of the queue too, and what was saved', async () => {
    const opened = await logIn();
    const { page } = opened;
    const [judgement = ''] = await page.locator('.judgement h2').allTextContents();
    expect(judgement).toMatch(/Everything is well|attention/);
    await page.getByText('GET /api/v1/workspaces/:workspaceId/search').waitFor();
    for (const limit of ['Memory of the process', 'JavaScript heap', 'Database connections']) {
      await page.locator('.usage', { hasText: limit }).waitFor();
    }
    await page
      .locator('.usage', { hasText: /^Wait of \w+ tasks, 95 %/ })
      .first()
      .waitFor();
    await page.getByRole('heading', { name: 'Saved' }).waitFor();
    await page.getByText('Calls of models').waitFor();
    await page.reload();
    await page.getByText('GET /api/v1/workspaces/:workspaceId/search').waitFor();
    await opened.close();
  });

  it('lead from a verdict to its runbook, within the console', async () => {
    const opened = await logIn();
    const { page } = opened;
    await opened.visit('queries');
    await page.getByRole('link', { name: /^Runbook: .* slow$/ }).click();
    await page.getByRole('heading', { level: 2, name: 'QueryLatencyHigh' }).waitFor();
    await page.getByRole('heading', { level: 3, name: 'What it means' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Queries' }).waitFor();
    await page.goto(`${platform.url}/console/#/runbooks/none`);
    await page.getByText('There is no runbook of this name').waitFor();
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  it('show a slow query with its plan as a tree, the costly node marked, and no constants', async () => {
    const opened = await logIn();
    const { page } = opened;
    await opened.visit('queries');
    await page.getByRole('link', { name: /FROM parcel p JOIN parcel/ }).click();
    await page.getByRole('heading', { name: 'The latest plan' }).first().waitFor();
    const costly = page.locator('.plan .costly');
    await costly.first().waitFor();
    expect(await costly.first().textContent()).toMatch(/Scan.* parcel.*of the cost.*the costly one/);
    // A node below another is in a list below its list.
    expect(await page.locator('.plan ul ul .node').count()).toBeGreaterThan(0);
    await page.getByRole('heading', { name: 'History' }).waitFor();
    await page.getByText(/Mean time by hour/).waitFor();
    expect(await page.content()).not.toContain(SECRET);
    await page.getByRole('link', { name: '← All queries' }).click();
    await page.getByRole('heading', { name: 'Recommended indexes' }).waitFor();
    expect(await page.content()).not.toContain(SECRET);
    await page.goto(`${platform.url}/console/#/queries/none`);
    await page.getByText('There is no slow query none').waitFor();
    await opened.close();
  });

  it('name indexes that are double, and what mends them', async () => {
    const opened = await logIn();
    await opened.visit('queries');
    const row = opened.page.getByRole('row', { name: /parcel_twice_\d .* duplicate / });
    await row.waitFor();
    await row.getByText('What mends it').click();
    await row.getByText(/DROP INDEX CONCURRENTLY/).waitFor();
    await opened.close();
  });

  it('show the releases of the assets with their sizes, and the share of hits', async () => {
    for (let time = 0; time < 3; time++) await platform.request('GET', '/static/app.js', { key: '' });
    const opened = await logIn();
    const { page } = opened;
    await opened.visit('cdn');
    const rows = page.getByRole('group', { name: 'Releases of the assets' }).getByRole('row');
    await rows.nth(2).waitFor();
    expect(await rows.nth(0).textContent()).toContain('Brotli');
    expect(await rows.nth(1).textContent()).toMatch(/current.*2.*KiB.* B/);
    expect(await rows.nth(2).textContent()).toMatch(/answers still.*1.*KiB.* B/);
    await page.locator('.tile', { hasText: 'Hits at the origin' }).getByText(/ %$/).waitFor();
    await opened.close();
  });

  it('plot the regret of retrieval and say how certain its answers are', async () => {
    const workspaceId = await platform.createWorkspace();
    await platform.upload(workspaceId, 'falcon.md', '# Falcons\n\nThe peregrine stoops at 320 km/h.');
    await platform.extracted(workspaceId);
    // A point of the plot for each fifty.
    for (let query = 0; query < 60; query++) {
      const body = { workspaceId, text: `how fast is a falcon, ${query}` };
      expect((await platform.request('POST', '/retrieval/query', { body })).status).toBe(200);
    }
    const opened = await logIn();
    const { page } = opened;
    await opened.visit('retrieval');
    await page.getByRole('img', { name: /^Time of an answer beyond the best plan/ }).waitFor();
    await page.getByRole('row', { name: /^filtered-vector [1-9]/ }).waitFor();
    await page.getByRole('row', { name: /3\.00\s*as set/ }).waitFor();
    expect(await opened.axe()).toEqual([]);
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  it('show workers and their waits, of other processes than the api', async () => {
    const opened = await logIn();
    const { page } = opened;
    await opened.visit('queue');
    await page.getByRole('row', { name: new RegExp(`worker ${platform.workers[0]?.pid}.*runs`) }).waitFor();
    const classes = page.getByRole('group', { name: 'Classes and their waits' });
    // The extraction ran in the worker; it tells of it within five seconds.
    await classes
      .getByRole('row', { name: /^\w+ .* s [1-9]\d* / })
      .first()
      .waitFor();
    await opened.visit('pool');
    await page.getByRole('row', { name: new RegExp(`api ${platform.api.pid}.*runs`) }).waitFor();
    await opened.close();
  });
});

/** Two releases, each of more files than the one before. */
async function buildAssets(folder: string): Promise<void> {
  const [source, target] = [join(folder, 'source'), join(folder, 'release')];
  await mkdir(source, { recursive: true });
  for (const name of ['app.js', 'more.js']) {
    await writeFile(join(source, name), `const it = '${name}';\n`.repeat(200));
    await buildRelease({ source, target, brotliQuality: 4, gzipLevel: 6, zstdLevel: 3 });
  }
}

/** Another program on the same database, to which everything is slow. */
async function askSlowly(connectionString: string): Promise<void> {
  const common = { connectionString, cache: { enabled: false, listen: false } };
  const program = await createQueryOptimizer({
    ...common,
    pool: { min: 1, max: 2, reserve: 0, session: { max_parallel_workers_per_gather: 0, jit: false } },
    slowQueries: {
      thresholdMs: 0,
      serverStatistics: false,
      sample: { perMinute: 10_000, burst: 1_000, intervalMs: 0 },
    },
  });
  try {
    for (const statement of SCHEMA) await program.execute(statement);
    // PostgreSQL 18 leaves a join of a table with itself out; the sum keeps it.
    const join = `SELECT p.id, pg_sleep(0.15) FROM parcel p JOIN parcel q ON q.id = p.id + 0
                   WHERE p.note || '' = '${SECRET}' OR p.customer + 0 = $1 AND p.id < 5001`;
    for (let customer = 1; customer <= 20; customer++) await program.execute(join, [customer]);
  } finally {
    await program.close();
  }
}
