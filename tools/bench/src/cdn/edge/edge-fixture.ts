import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seededRandom, zipfOrder } from '../../harness/random.ts';

/** Kinds of files and their share of ten, about as a page of a larger application has them. */
const KINDS = ['js', 'js', 'js', 'js', 'css', 'png', 'png', 'svg', 'json', 'html'] as const;
const TEXTS = new Set<string>(['js', 'css', 'svg', 'json', 'html']);
const SMALLEST_BYTES = 1_024;
const LARGEST_BYTES = 65_536;
/** What browsers send, and how many of ten do. */
const BROWSERS = ['gzip, deflate, br, zstd', 'gzip, deflate, br', 'gzip'] as const;
const SHARES = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2] as const;

/** One request of the load. */
export interface EdgeRequest {
  readonly path: string;
  readonly acceptEncoding: string;
}

/** Files of a release, and requests for them in their order: the same in every run. */
export interface EdgeWorkload {
  readonly root: string;
  readonly requests: readonly EdgeRequest[];
}

/** Writes the files. The caller removes the folder. */
export async function writeEdgeWorkload(fileCount: number, requestCount: number): Promise<EdgeWorkload> {
  const random = seededRandom(7);
  const root = await mkdtemp(join(tmpdir(), 'peregrine-bench-edge-'));
  await mkdir(join(root, 'assets'));
  const paths: string[] = [];
  for (let i = 0; i < fileCount; i++) {
    const kind = KINDS[i % KINDS.length] ?? 'js';
    const sizeBytes = Math.round(SMALLEST_BYTES * (LARGEST_BYTES / SMALLEST_BYTES) ** random());
    const content = contentOf(kind, sizeBytes, random);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
    const path = kind === 'html' ? `/page-${i}.html` : `/assets/file-${i}.${hash}.${kind}`;
    await writeFile(join(root, path), content);
    paths.push(path);
  }
  const requests = Array.from(zipfOrder(fileCount, requestCount, random), (file): EdgeRequest => ({
    path: paths[file] ?? '/',
    acceptEncoding: BROWSERS[SHARES[Math.floor(random() * SHARES.length)] ?? 0] ?? 'gzip',
  }));
  return { root, requests };
}

/** Text compresses about as well as code does, everything else not at all. */
function contentOf(kind: string, sizeBytes: number, random: () => number): Buffer {
  if (!TEXTS.has(kind))
    return Buffer.from(Array.from({ length: sizeBytes }, () => Math.floor(random() * 256)));
  const lines: string[] = [];
  for (let length = 0; length < sizeBytes; length += lines.at(-1)?.length ?? sizeBytes) {
    lines.push(
      `const value${Math.floor(random() * 5_000)} = make(${Math.floor(random() * 5_000)}, options);\n`,
    );
  }
  return Buffer.from(lines.join('').slice(0, sizeBytes));
}
