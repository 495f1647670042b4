import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

import { parseOptions, runCommand } from './command-line.ts';
import { DEFAULT_DATA_FOLDER, fromCallersFolder, ROOT } from './paths.ts';
import { devFileIn } from './platform/data-folder.ts';
import { type DevFile, readDevFile } from './platform/dev-file.ts';
import { findProgram } from './platform/find-program.ts';
import { PlatformMissingError, UsageError } from './tools.errors.ts';

const HELP = `Usage: npm run console:pictures -- [options]

Takes the pictures of the console that the documents show, of the platform that "npm start" runs on the data folder. Run
"npm run demo" first, so that there is something to see. Needs Chromium (apt-get install chromium).

  --data <folder>  data folder of the platform (default: .peregrine)
  --out <folder>   where they go (default: docs/pictures)
  --help           this text`;

const options = {
  data: { type: 'string' },
  out: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** What is taken: the file, the page, what is opened on it, and how it is looked at. */
const PICTURES: readonly Picture[] = [
  { file: 'console-overview.png', page: 'overview', colorScheme: 'light', width: 1_200, height: 980 },
  { file: 'console-queue.png', page: 'queue', colorScheme: 'light', width: 1_200, height: 980 },
  { file: 'console-queries.png', page: 'queries', colorScheme: 'light', width: 1_200, height: 980 },
  { file: 'console-cache-dark.png', page: 'cache', colorScheme: 'dark', width: 1_200, height: 980 },
  {
    ...{ file: 'console-plan-dark.png', page: 'queries', colorScheme: 'dark', width: 1_200, height: 980 },
    // A query with tables in it.
    open: 'a[href^="#/queries/"]:has-text("JOIN")',
  },
  { file: 'console-retrieval.png', page: 'retrieval', colorScheme: 'light', width: 1_200, height: 980 },
  { file: 'console-phone.png', page: 'overview', colorScheme: 'light', width: 390, height: 844 },
];

interface Picture {
  readonly file: string;
  readonly page: string;
  readonly colorScheme: 'light' | 'dark';
  readonly width: number;
  readonly height: number;
  /** Selector of a link that is followed first. */
  readonly open?: string;
}

await runCommand(async () => {
  const { values } = parseOptions('npm run console:pictures --', { options });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const dataFolder = values.data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(values.data);
  const dev = await readDevFile(devFileIn(dataFolder));
  if (!dev) throw new PlatformMissingError('No platform runs on the data folder: npm start runs one.');
  const folder = values.out === undefined ? join(ROOT, 'docs/pictures') : fromCallersFolder(values.out);
  const executablePath = await findProgram(['chromium', 'chromium-browser', 'google-chrome'], process.env);
  if (executablePath === undefined) {
    throw new UsageError('There is no Chromium on the PATH: apt-get install chromium.');
  }
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    for (const picture of PICTURES) {
      const path = join(folder, picture.file);
      const isTaken = await take(browser, dev, picture, path);
      console.log(
        isTaken ? path : `Left out: ${path}. What it shows is not there: run "npm run demo" first.`,
      );
    }
  } finally {
    await browser.close();
  }
});

async function take(
  browser: Browser,
  { url, adminKey }: DevFile,
  { page: name, colorScheme, width, height, open }: Picture,
  path: string,
): Promise<boolean> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  await page.goto(`${url}/console/#/${name}`);
  await page.getByLabel('Admin key').fill(adminKey);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('heading', { level: 1 }).waitFor();
  const link = page.locator(open ?? 'h1').first();
  const isThere = (await link.count()) > 0;
  if (isThere && open !== undefined) {
    await link.click();
    await page.getByRole('heading', { name: 'The latest plan' }).waitFor();
  }
  // Not the link that was followed: a picture has no pointer.
  await page.mouse.move(0, 0);
  if (isThere) await page.screenshot({ path });
  await context.close();
  return isThere;
}
