import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const code = (name: string) =>
  Array.from({ length: 400 }, (_, i) => `export const ${name}${i} = ${i} * 2;\n`).join('');
/** Bytes that no compression makes smaller, the same each time. */
const noise = (sizeBytes: number) => {
  const bytes = Buffer.alloc(sizeBytes);
  let state = 2_463_534_242;
  for (let i = 0; i < sizeBytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
};
const page = (title: string) =>
  `<!DOCTYPE html>\n<title>${title}</title>\n${`<p>${title}, once more.</p>\n`.repeat(120)}`;

/** What the probe asks for, by path. */
export const PROBE_FILES = {
  'index.html': Buffer.from(page('The index')),
  'letters.txt': Buffer.from('abcdefghijklmnopqrstuvwxyz'),
  'empty.txt': Buffer.alloc(0),
  'app.js': Buffer.from(code('a')),
  'app.3f2a1b9c.js': Buffer.from(code('b')),
  'pre.js': Buffer.from(code('c')),
  'site.css': Buffer.from('p { color: red; }\n'.repeat(200)),
  'data.json': Buffer.from(JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ i })))),
  'logo.png': noise(3_000),
  'large.bin': noise(6 * 1024 * 1024),
  'foo bar.txt': Buffer.from('foo bar'),
  'ünï.txt': Buffer.from('unicode'),
  'sub/index.html': Buffer.from(page('Sub')),
} as const;
export type ProbeFile = keyof typeof PROBE_FILES;

/** In files that must never be sent. */
export const SECRET = 'TOP-SECRET-CONTENT';
/** Of all files; long past, so that a date is a strong validator. */
export const MODIFIED_AT = new Date('2026-01-02T03:04:05Z');

/**
 * Writes the files of the probe, and beside their folder some that must not be reachable.
 *
 * @param parent an empty folder
 * @returns the folder to serve
 */
export async function writeProbeFixture(parent: string): Promise<string> {
  const root = join(parent, 'public');
  const write = async (path: string, content: Buffer | string) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await utimes(path, MODIFIED_AT, MODIFIED_AT);
  };
  for (const [path, content] of Object.entries(PROBE_FILES)) await write(join(root, path), content);
  await write(join(root, 'pre.js.br'), brotliCompressSync(PROBE_FILES['pre.js']));
  await write(join(root, 'pre.js.gz'), gzipSync(PROBE_FILES['pre.js'], { level: 9 }));
  for (const path of ['.secret', '.hidden/file.txt']) await write(join(root, path), SECRET);
  await write(join(parent, 'outside.txt'), SECRET);
  await write(join(parent, 'public-sibling', 'file.txt'), SECRET);
  await symlink(join('..', 'outside.txt'), join(root, 'leak.txt'));
  return root;
}
