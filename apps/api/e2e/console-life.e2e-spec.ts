import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Browser } from 'playwright-core';
import { SessionTokens } from '../src/console/session/session-token.js';
import { startBrowser } from './support/browser.js';
import { ConsolePage } from './support/console-page.js';
import { logIn } from './support/operator.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

jest.setTimeout(240_000);

const HOUR_MS = 3_600_000;
/** What is left of a session that has gone on for half a day. */
const LEFT_MS = 10_000;

describe('an open console', () => {
  let platform: Platform;
  let browser: Browser;

  beforeAll(async () => {
    browser = await startBrowser();
    platform = await Platform.start({ env: { CONSOLE_ACTIONS_ENABLED: 'true' } });
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.stop();
  });

  it('shows what another one does, each with a session of its own', async () => {
    const [one, other] = await Promise.all([
      ConsolePage.logIn(browser, platform),
      ConsolePage.logIn(browser, platform),
    ]);
    await one.visit('flags');
    await other.visit('flags');
    await one.page.getByLabel('Share of keys for queryCacheEnabled, percent').fill('30');
    await one.page.getByRole('button', { name: 'Set queryCacheEnabled to 30 %' }).click();
    await one.confirm('Set', 'queryCacheEnabled is on for 30 %');
    await other.page.getByRole('button', { name: 'Reset queryCacheEnabled' }).click();
    await other.confirm('Reset', 'as configured again');
    await one.page.getByRole('button', { name: 'Reset queryCacheEnabled' }).waitFor({ state: 'detached' });
    await one.visit('actions');
    await one.page.getByRole('row', { name: /flag\.reset feature\/queryCacheEnabled.* done / }).waitFor();
    // The end of one is not the end of the other.
    await other.page.getByRole('button', { name: 'Log out' }).click();
    await other.page.getByLabel('Admin key').waitFor();
    await one.isLive();
    expect([...one.problems, ...other.problems]).toEqual([]);
    await Promise.all([one.close(), other.close()]);
  });

  it('says that it reconnects when the api restarts, keeps what it shows, and comes back by itself', async () => {
    const opened = await ConsolePage.logIn(browser, platform);
    const { page } = opened;
    await opened.visit('pool');
    const { port } = new URL(platform.url);
    await platform.api.stop();
    await page.getByText('The api does not answer.').waitFor();
    expect(await page.getByRole('heading', { name: 'Callers by priority' }).count()).toBe(1);
    expect(await opened.axe()).toEqual([]);
    const again = platform.spawn('api', { PORT: port });
    await again.listening();
    await opened.isLive();
    expect(await page.getByText('The api does not answer.').count()).toBe(0);
    await page.getByRole('row', { name: new RegExp(`api ${again.pid}.*runs`) }).waitFor();
    // Who ended in order is no dead process.
    expect(await page.getByText('died').count()).toBe(0);
    await opened.close();
  });

  it('ends with its session, and says so', async () => {
    const opened = await ConsolePage.open(browser, platform);
    const { cookie } = await logIn(platform);
    const secret = platform.env['CURSOR_SECRET'] ?? '';
    // As a browser has it that was logged in half a day ago.
    const { apiKeyId } = new SessionTokens(secret, HOUR_MS).decode(cookie.split('=')[1]) ?? {};
    const tokens = new SessionTokens(secret, HOUR_MS, () => Date.now() + LEFT_MS - 12 * HOUR_MS);
    const started = tokens.start(apiKeyId ?? '');
    const session = { ...started, expiresAt: Date.now() + LEFT_MS };
    await opened.page
      .context()
      .addCookies([
        { name: 'peregrine_console', value: tokens.encode(session), url: `${platform.url}/console` },
      ]);
    await opened.page.reload();
    await opened.page.getByText('Live', { exact: true }).waitFor();
    await opened.page.getByText('Your session is over: log in again.').waitFor();
    expect(await opened.page.getByRole('navigation').count()).toBe(0);
    expect(await opened.axe()).toEqual([]);
    await opened.enterKey();
    await opened.close();
  });

  it('leaves nothing on the screen when the session is gone', async () => {
    const opened = await ConsolePage.logIn(browser, platform);
    const { page } = opened;
    await opened.visit('cdn');
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Purge everything' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Purge everything' }).click();
    await page.getByText('Your session is over: log in again.').waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
    await opened.close();
  });

  it('tells of a worker that was killed, and that nobody works', async () => {
    const opened = await ConsolePage.logIn(browser, platform);
    const { page } = opened;
    const [worker] = platform.workers;
    await opened.visit('queue');
    await page.getByRole('row', { name: new RegExp(`worker ${worker?.pid}.*runs`) }).waitFor();
    await worker?.stop('SIGKILL');
    await page.getByRole('row', { name: new RegExp(`worker ${worker?.pid}.*died`) }).waitFor();
    await page.getByRole('heading', { name: 'No worker runs' }).waitFor();
    const next = platform.spawn('worker');
    await next.listening();
    await page.getByRole('heading', { name: 'A worker died' }).waitFor();
    await next.stop();
    // It took its leave.
    await page.getByRole('row', { name: new RegExp(`worker ${next.pid}`) }).waitFor({ state: 'detached' });
    await opened.close();
  });
});

describe('a console whose actions are off', () => {
  it('has grey buttons and says why; who tries all the same is in the audit', async () => {
    const browser = await startBrowser();
    const platform = await Platform.start({ workers: 0 });
    try {
      const opened = await ConsolePage.logIn(browser, platform);
      const { page } = opened;
      for (const [name, button] of [
        ['cache', 'Flush everything'],
        ['cdn', 'Purge everything'],
      ] as const) {
        await opened.visit(name);
        await page.getByText('CONSOLE_ACTIONS_ENABLED=true').waitFor();
        expect(await page.getByRole('button', { name: button }).isDisabled()).toBe(true);
      }
      const { cookie, csrfToken } = await logIn(platform);
      const headers = { cookie, 'x-csrf-token': csrfToken };
      const body = { namespace: 'search' };
      const path = '/console/api/actions/cache.flush';
      expect((await platform.request('POST', path, { key: '', headers, body })).status).toBe(403);
      await opened.visit('actions');
      const row = page.getByRole('row', { name: /^cache\.flush cache\/search/ });
      await until(async () => (await row.textContent())?.includes('refused') ?? false);
      await opened.close();
    } finally {
      await browser.close();
      await platform.stop();
    }
  });
});
