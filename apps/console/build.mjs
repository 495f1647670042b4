/**
 * Builds the page of the console into dist/assets: one script, one style sheet and the runbooks with hashes in their names, and each
 * file compressed beside itself, for the origin of `@peregrine/cdn`. Run by `npm run build`; costs nothing when nothing changed.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { readRunbooks, runbookFiles } from './runbooks.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const source = join(root, 'src/browser');
const target = join(root, 'dist/assets');
const runbooks = join(root, '../../docs/runbooks');
const stampFile = join(root, 'dist/assets.stamp');

const stamp = await hashOfSources();
if (await isBuilt()) process.exit(0);

const draft = `${target}.${process.pid}`;
await rm(draft, { recursive: true, force: true });
await mkdir(draft, { recursive: true });
// A file of its own, that is asked for when somebody reads one.
const runbooksFile = await putHashed('runbooks', 'json', JSON.stringify(await readRunbooks(runbooks)));

// Loaded late: starting its WebAssembly costs a second.
const { build } = await import('esbuild-wasm');
const { outputFiles } = await build({
  entryPoints: { console: join(source, 'main.tsx'), style: join(source, 'style.css') },
  outdir: target,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: ['chrome120', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  define: { RUNBOOKS_FILE: JSON.stringify(runbooksFile) },
  // esbuild's hash is base 32 in capitals, which is not told from a word: the names get one of our own below.
  logLevel: 'error',
});

const names = {};
for (const { path, contents } of outputFiles) {
  const [, name, extension] = /([a-z]+)-\w+\.(\w+)$/.exec(path);
  names[extension] = await putHashed(name, extension, contents);
}
const page = await readFile(join(source, 'index.html'), 'utf8');
await put('index.html', Buffer.from(page.replace('{script}', names.js).replace('{style}', names.css)));
await put('icon.svg', await readFile(join(source, 'icon.svg')));
await rm(target, { recursive: true, force: true });
await rename(draft, target);
await writeFile(stampFile, stamp);

/** @param {string} name @param {string} extension @param {string | Uint8Array} content */
async function putHashed(name, extension, content) {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  await put(`${name}.${hash}.${extension}`, Buffer.from(content));
  return `${name}.${hash}.${extension}`;
}

/** @param {string} name @param {Buffer} content */
async function put(name, content) {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  await writeFile(join(draft, name), content);
  await writeFile(join(draft, `${name}.br`), brotliCompressSync(content, quality));
  await writeFile(join(draft, `${name}.gz`), gzipSync(content, { level: 9 }));
}

/** Of everything that decides what comes out. */
async function hashOfSources() {
  const hash = createHash('sha256');
  for (const name of (await readdir(source, { recursive: true })).toSorted()) {
    if (!/\.(tsx?|css|html|svg)$/.test(name) || name.includes('.spec.')) continue;
    hash.update(name).update(await readFile(join(source, name)));
  }
  for (const name of await runbookFiles(runbooks)) {
    hash.update(name).update(await readFile(join(runbooks, name)));
  }
  for (const file of ['build.mjs', 'runbooks.mjs', 'package.json'])
    hash.update(await readFile(join(root, file)));
  return hash.digest('hex');
}

async function isBuilt() {
  try {
    await readFile(join(target, 'index.html'));
    return (await readFile(stampFile, 'utf8')) === stamp;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}
