import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { type Platform } from './platform.js';

/** The pages of the console by their addresses, as the navigation names them. */
export const CONSOLE_PAGES = {
  overview: 'Overview',
  queue: 'Queue',
  cache: 'Cache',
  flags: 'Flags',
  queries: 'Queries',
  retrieval: 'Retrieval',
  cdn: 'CDN',
  pool: 'Pool and memory',
  actions: 'Recent actions',
  runbooks: 'Runbooks',
} as const;
export type ConsolePageName = keyof typeof CONSOLE_PAGES;

/** The browser may be one of many programs on the machine. */
const PATIENCE_MS = 60_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const AXE_RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** An open console in a window of its own, with what went wrong in it. */
export class ConsolePage {
  /** Errors of scripts, what the browser refused, and requests to other hosts. */
  readonly problems: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly platform: Platform,
  ) {}

  /** Shows the login. */
  static async open(browser: Browser, platform: Platform, options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const opened = new ConsolePage(await context.newPage(), platform);
    opened.#listen();
    await opened.page.goto(`${platform.url}/console/`, { timeout: PATIENCE_MS });
    return opened;
  }

  /** Shows the overview, with figures that arrive. */
  static async logIn(browser: Browser, platform: Platform, options?: BrowserContextOptions) {
    const opened = await ConsolePage.open(browser, platform, options);
    await opened.enterKey();
    return opened;
  }

  async enterKey(): Promise<void> {
    await this.page.getByLabel('Admin key').fill(this.platform.adminKey);
    await this.page.getByRole('button', { name: 'Log in' }).click();
    await this.isLive();
  }

  isLive(): Promise<void> {
    return this.page.getByText('Live', { exact: true }).waitFor();
  }

  async visit(name: ConsolePageName): Promise<void> {
    const { page } = this;
    await page.getByRole('navigation').getByRole('link', { name: CONSOLE_PAGES[name] }).click();
    await page.getByRole('heading', { level: 1, name: CONSOLE_PAGES[name] }).waitFor();
  }

  /** Answers the open question with its verb, and waits for what came of it. */
  async confirm(verb: string, expected: string): Promise<void> {
    const { page } = this;
    await page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click();
    await page.getByRole('main').locator('> [role=status]').getByText(expected).waitFor();
    await page.getByRole('button', { name: 'Dismiss the message' }).click();
  }

  /** What axe finds: the rules that are broken, and where. */
  async axe(): Promise<string[]> {
    // Past the policy of the page, which lets no other script in.
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate<{ violations: { id: string; nodes: { target: string[] }[] }[] }>(
      `axe.run(document, { runOnly: ${JSON.stringify(AXE_RULES)} })`,
    );
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target }) => `${id}: ${target.join(' ')}`),
    );
  }

  /** How wide what is on the screen is, pixels: no more than the screen, or it scrolls sideways. */
  width(): Promise<number> {
    return this.page.evaluate('document.documentElement.scrollWidth');
  }

  /** Waits until the whole width of an element is on the screen. */
  async isInView(selector: string): Promise<void> {
    await this.page.waitForFunction(`(() => {
      const { left, right } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
      return left >= 0 && right <= innerWidth + 1;
    })()`);
  }

  focused(): Promise<string> {
    return this.page.evaluate<string>('document.activeElement?.textContent?.trim() ?? ""');
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  #listen(): void {
    this.page.on('pageerror', (error) => this.problems.push(String(error)));
    this.page.on('console', (message) => {
      // A browser logs every refused request; before the login there is one.
      if (message.type() === 'error' && !message.text().includes('401')) this.problems.push(message.text());
    });
    this.page.on('request', (request) => {
      if (!request.url().startsWith(this.platform.url)) this.problems.push(`asked ${request.url()}`);
    });
  }
}
