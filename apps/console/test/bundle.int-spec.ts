import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';
import { ASSETS_FOLDER } from '../src/assets-folder.js';

const BUILD = fileURLToPath(new URL('../build.mjs', import.meta.url));
const MOST_BYTES = 60 * 1_024;

it('sends at most 60 KiB in all, from its own host, with nothing inline', async () => {
  // Nothing to do after npm run build.
  await promisify(execFile)(process.execPath, [BUILD]);
  const names = await readdir(ASSETS_FOLDER);
  const compressed = names.filter((it) => it.endsWith('.br'));
  expect(compressed.map((it) => it.split('.').at(-2)).toSorted()).toEqual([
    ...['css', 'html', 'js', 'json', 'svg'],
  ]);
  const contents = await Promise.all(compressed.map((it) => readFile(join(ASSETS_FOLDER, it))));
  const total = contents.reduce((sum, it) => sum + it.length, 0);
  expect(total).toBeLessThanOrEqual(MOST_BYTES);

  const texts = contents.map((it) => brotliDecompressSync(it).toString());
  // Names of XML namespaces are no addresses that are asked.
  for (const text of texts)
    expect(text.replaceAll(/http:\/\/www\.w3\.org\/[\w/]+/g, '')).not.toMatch(/https?:\/\//);
  const page = texts[compressed.findIndex((it) => it.startsWith('index.html'))] ?? '';
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
});
