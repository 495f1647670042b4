import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Nothing of a browser but the page that is tested: no updates, no sync, no first-run talk. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's Chromium without a window, in a profile of its own that goes with it; missing, it says what to do. */
export async function startBrowser(): Promise<Browser> {
  // Playwright gives each browser a new --user-data-dir.
  return chromium.launch({ executablePath: await findChromium(), headless: true, args: FLAGS });
}

async function findChromium(): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((it) => it !== '');
  for (const program of NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    if (await isProgram(program)) return program;
  }
  throw new Error('No Chromium on the PATH: install it (apt-get install chromium), then run the tests again');
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return false;
    throw error;
  }
}
