import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createTaskQueue, defineTask, type StandaloneTaskQueue } from '@peregrine/task-queue';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { z } from 'zod';
import { startBrowser } from './support/browser.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

jest.setTimeout(180_000);

const PAGES = {
  overview: 'Overview',
  queue: 'Queue',
  cache: 'Cache',
  flags: 'Flags',
  queries: 'Queries',
  cdn: 'CDN',
  pool: 'Pool and memory',
} as const;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** The browser may be one of many programs on the machine. */
const PATIENCE_MS = 60_000;

/** As a process of another version had it: the worker does not read such payloads, at any attempt. */
const release = defineTask({ name: 'content.release-storage', payload: z.any() });

describe('the pages of the console', () => {
  let platform: Platform;
  let browser: Browser;
  let queue: StandaloneTaskQueue;

  beforeAll(async () => {
    browser = await startBrowser();
    platform = await Platform.start({ env: { CONSOLE_ACTIONS_ENABLED: 'true' } });
    queue = await createTaskQueue({
      backend: 'redis',
      connection: platform.env['REDIS_URL'] ?? '',
      prefix: platform.env['QUEUE_PREFIX'] ?? '',
      worker: false,
      tasks: [{ definition: release }],
    });
    const workspace = await platform.createWorkspace();
    await platform.upload(workspace, 'a.txt', 'peregrine');
    await platform.extracted(workspace);
    await platform.request('GET', `/workspaces/${workspace}/search?q=peregrine`);
  });
  afterAll(async () => {
    await queue?.close();
    await browser?.close();
    await platform?.stop();
  });

  /** A page, and what went wrong on it. */
  const open = async (options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      // A browser logs every refused request; before the login there is one.
      if (message.type() === 'error' && !message.text().includes('401')) problems.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(platform.url)) problems.push(`asked ${request.url()}`);
    });
    await page.goto(`${platform.url}/console/`, { timeout: PATIENCE_MS });
    return { page, problems, close: () => context.close() };
  };
  const logIn = async (options?: BrowserContextOptions) => {
    const opened = await open(options);
    await opened.page.getByLabel('Admin key').fill(platform.adminKey);
    await opened.page.getByRole('button', { name: 'Log in' }).click();
    await opened.page.getByText('Live', { exact: true }).waitFor();
    return opened;
  };
  const visit = async (page: Page, name: keyof typeof PAGES) => {
    await page.getByRole('navigation').getByRole('link', { name: PAGES[name] }).click();
    await page.getByRole('heading', { level: 1, name: PAGES[name] }).waitFor();
  };
  const confirm = async (page: Page, verb: string, expected: string) => {
    await page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click();
    await page.getByRole('status').getByText(expected).waitFor();
    await page.getByRole('button', { name: 'Dismiss the message' }).click();
  };

  it.each(['light', 'dark'] as const)('have no fault that axe finds, %s', async (colorScheme) => {
    const opened = await open({ colorScheme });
    expect(await axe(opened.page)).toEqual([]);
    await opened.close();
    const { page, problems, close } = await logIn({ colorScheme });
    for (const name of Object.keys(PAGES) as (keyof typeof PAGES)[]) {
      await visit(page, name);
      expect([name, await axe(page)]).toEqual([name, []]);
    }
    expect(problems).toEqual([]);
    await close();
  });

  it('fit the width of a phone', async () => {
    const { page, close } = await logIn({ viewport: { width: 360, height: 740 } });
    for (const name of Object.keys(PAGES) as (keyof typeof PAGES)[]) {
      await visit(page, name);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect([name, width]).toEqual([name, 360]);
      expect([name, await axe(page)]).toEqual([name, []]);
    }
    await close();
  });

  it('are reached with the keyboard alone, also the logout', async () => {
    const { page, close } = await open();
    await page.getByLabel('Admin key').waitFor();
    await page.keyboard.type('pgn_wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The key is unknown, expired or revoked').waitFor();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(platform.adminKey);
    await page.keyboard.press('Enter');
    await page.getByText('Live', { exact: true }).waitFor();
    // Skip link, logout, then the pages in their order.
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Log out');
    for (const name of ['Overview', 'Queue', 'Cache']) {
      await page.keyboard.press('Tab');
      expect(await focused(page)).toContain(name);
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Cache' }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Admin key').waitFor();
    await page.reload();
    await page.getByLabel('Admin key').waitFor();
    await close();
  });

  it('say first how the platform is, and show routes and limits', async () => {
    const { page, close } = await logIn();
    const [judgement = ''] = await page.locator('.judgement h2').allTextContents();
    expect(judgement).toMatch(/Everything is well|attention/);
    await page.getByText('GET /api/v1/workspaces/:workspaceId/search').waitFor();
    await page.getByText('Memory of the process').waitFor();
    expect(await page.locator('.usage').count()).toBe(5);
    await page.reload();
    await page.getByText('GET /api/v1/workspaces/:workspaceId/search').waitFor();
    await close();
  });

  it('flush a namespace and the whole cache, after asking', async () => {
    const { page, close } = await logIn();
    await visit(page, 'cache');
    await page.getByRole('button', { name: 'Flush search' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(platform.api.output).not.toContain('cache.flush');
    await page.getByRole('button', { name: 'Flush search' }).click();
    // What does nothing is what Enter hits first.
    await page.locator('dialog[open] button:focus', { hasText: 'Cancel' }).waitFor();
    expect(await axe(page)).toEqual([]);
    await confirm(page, 'Flush', 'all entries of the namespace search');
    await page.getByRole('button', { name: 'Flush everything' }).click();
    await confirm(page, 'Flush everything', 'Removed all entries from');
    await close();
  });

  it('set a rollout with the slider, and take it back', async () => {
    const { page, close } = await logIn();
    await visit(page, 'flags');
    await page.getByLabel('Share of keys for queryCacheEnabled, percent').fill('40');
    await page.getByRole('button', { name: 'Set queryCacheEnabled to 40 %' }).click();
    await confirm(page, 'Set', 'queryCacheEnabled is on for 40 %');
    const rollout = () => platform.request('GET', '/optimizer/rollout', { key: platform.adminKey });
    expect((await rollout()).body).toMatchObject({ inForce: 40, override: 40 });
    await page.getByRole('button', { name: 'Reset queryCacheEnabled' }).click();
    await confirm(page, 'Reset', 'as configured again');
    expect((await rollout()).body).toMatchObject({ inForce: 100, override: null });
    await close();
  });

  it('put dead letters back to work, and delete them', async () => {
    await queue.submitBatch(release, [
      { payload: { nonsense: 1 }, id: 'a' },
      { payload: { nonsense: 2 }, id: 'b' },
    ]);
    const { page, close } = await logIn();
    await visit(page, 'queue');
    await page.getByText('2 tasks failed for good').waitFor();
    await page.getByRole('button', { name: 'Redrive 2 tasks content.release-storage' }).click();
    await confirm(page, 'Redrive', 'A task puts them back to work');
    // They fail again: that their cause is gone is for the operator to say.
    await until(async () => {
      const { body } = await platform.request('GET', '/tasks/dead-letters', { key: platform.adminKey });
      const letters = body.items as { redrives: number }[];
      return letters.length === 2 && letters.every(({ redrives }) => redrives === 1);
    });
    await page.getByRole('button', { name: 'Delete 2 tasks content.release-storage' }).click();
    await confirm(page, 'Delete', 'A task removes them');
    await page.getByText('No task has failed for good').waitFor();
    await close();
  });

  it('purge a path and everything', async () => {
    const { page, close } = await logIn();
    await visit(page, 'cdn');
    await page.getByLabel('Path or tag').fill('/static/a.css');
    await page.getByRole('button', { name: 'Purge /static/a.css' }).click();
    await confirm(page, 'Purge', 'No CDN is configured');
    await page.getByRole('button', { name: 'Purge everything' }).click();
    await confirm(page, 'Purge everything', 'No CDN is configured');
    await close();
  });

  it('show what failed, and leave nothing on the screen when the session is over', async () => {
    const { page, close } = await logIn();
    await visit(page, 'cdn');
    await page.getByLabel('Path or tag').fill('/no path\u0000');
    await page.getByRole('button', { name: /^Purge \/no/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Purge', exact: true }).click();
    await page.locator('.notice.critical').waitFor();
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Purge everything' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Purge everything' }).click();
    await page.getByLabel('Admin key').waitFor();
    expect(await page.locator('main').count()).toBe(1);
    await close();
  });
});

/** What axe finds: the rules that are broken, and where. */
async function axe(page: Page): Promise<string[]> {
  // Past the policy of the page, which lets no other script in.
  await page.evaluate(AXE);
  const found = await page.evaluate<{ violations: { id: string; nodes: { target: string[] }[] }[] }>(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  );
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

async function focused(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement?.textContent?.trim() ?? ""');
}
