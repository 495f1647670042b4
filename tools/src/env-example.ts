import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { build } from './build.ts';
import { parseOptions, runCommand } from './command-line.ts';
import { ROOT } from './paths.ts';
import { OutdatedFileError } from './tools.errors.ts';

const HELP = `Usage: npm run env:example -- [--check]

Writes .env.example from the settings that the apps read.

  --check  write nothing; exit code 1 when the file is out of date`;

const FILE = join(ROOT, '.env.example');

await runCommand(async () => {
  const { values } = parseOptions('npm run env:example --', {
    options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  await build();
  const { allSettings, renderEnvExample } = await import('@peregrine/config');
  const text = renderEnvExample(allSettings);
  if (values.check) await assertUpToDate(text);
  else await writeFile(FILE, text);
  console.log(`.env.example is ${values.check ? 'up to date' : 'written'}`);
});

async function assertUpToDate(text: string): Promise<void> {
  if ((await readFile(FILE, 'utf8')) !== text) {
    throw new OutdatedFileError('.env.example is out of date: run "npm run env:example" and commit it.');
  }
}
