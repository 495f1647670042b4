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

/** What is taken: the file, the page, and how it is looked at. */
const PICTURES = [
  { file: 'console-overview.png', page: 'overview', colorScheme: 'light', width: 1_200, height: 860 },
  { file: 'console-cache-dark.png', page: 'cache', colorScheme: 'dark', width: 1_200, height: 860 },
  { file: 'console-phone.png', page: 'overview', colorScheme: 'light', width: 390, height: 844 },
] as const;

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
      await take(browser, dev, picture, join(folder, picture.file));
      console.log(join(folder, picture.file));
    }
  } finally {
    await browser.close();
  }
});

async function take(
  browser: Browser,
  { url, adminKey }: DevFile,
  { page: name, colorScheme, width, height }: (typeof PICTURES)[number],
  path: string,
): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  await page.goto(`${url}/console/#/${name}`);
  await page.getByLabel('Admin key').fill(adminKey);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.screenshot({ path });
  await context.close();
}
