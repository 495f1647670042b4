import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

export const SMALL_FILE = '10k.js';
export const LARGE_FILE = '1m.bin';

/** Writes the files that are asked for. The caller removes the folder. */
export async function writeFixture(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'peregrine-bench-cdn-'));
  const small = Buffer.from(
    Array.from({ length: 400 }, (_, i) => `export const value${i} = ${i} ** 2;\n`).join(''),
  ).subarray(0, 10_240);
  const large = Buffer.alloc(1_048_576, 'peregrine');
  await writeFile(join(root, SMALL_FILE), small);
  await writeFile(join(root, `${SMALL_FILE}.br`), brotliCompressSync(small));
  await writeFile(join(root, `${SMALL_FILE}.gz`), gzipSync(small, { level: 9 }));
  await writeFile(join(root, LARGE_FILE), large);
  return root;
}
