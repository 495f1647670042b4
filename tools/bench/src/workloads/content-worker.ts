import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { ConversionService, FileContentService, FileUploadService, SyncService } from '@peregrine/content';

import { median } from '../harness/statistics.ts';
import { serveWorker } from '../harness/worker.ts';
import { openContent, type OpenedContent } from './content-application.ts';

export interface ContentInput {
  readonly way: 'naive' | 'ours';
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly files: number;
  readonly conversions: number;
}

/** Of one process, milliseconds. */
export interface ContentSample {
  /** Of one, the median. */
  readonly conversionMs: number;
  /** Of the whole second sync. */
  readonly syncMs: number;
}

const LIMIT_BYTES = 1e9;
const CONCURRENCY = 8;
const PARAGRAPH =
  '## A heading\n\nSome *words* with [a link](https://example.com/), `code` and **more** of it.\n\n' +
  '- one\n- two\n- three\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n';

await serveWorker<ContentInput, ContentSample>(async (input) => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'peregrine-bench-content-')));
  const content = await openContent({ ...input, folder, isCached: input.way === 'ours' });
  try {
    return {
      conversionMs: await measureConversion(content, input),
      syncMs: await measureSync(content, input, folder),
    };
  } finally {
    await content.close();
    await rm(folder, { recursive: true, force: true });
  }
});

async function measureConversion(content: OpenedContent, { conversions }: ContentInput): Promise<number> {
  const body = Readable.from([Buffer.from(PARAGRAPH.repeat(Math.ceil(46_000 / PARAGRAPH.length)))], {
    objectMode: false,
  });
  const { file } = await content
    .get(FileUploadService)
    .upload(content.workspaceId, 'a.md', body, { limitBytes: LIMIT_BYTES });
  // Without the cache the service converts each time: that is the naive way, in the same threads.
  const convert = async () => {
    const location = await content.get(FileContentService).locate(content.workspaceId, file.id);
    return content.get(ConversionService).convert(location, { target: 'html' });
  };
  for (let n = 0; n < 5; n++) await convert();
  const times: number[] = [];
  for (let n = 0; n < conversions; n++) {
    const startedAt = performance.now();
    await convert();
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

async function measureSync(
  content: OpenedContent,
  { way, files }: ContentInput,
  root: string,
): Promise<number> {
  const folder = join(root, 'tree');
  await mkdir(folder);
  const paths = Array.from({ length: files }, (_, n) => `${n}.dat`);
  // Long ago: nobody writes to them at this moment.
  const write = async (path: string, seconds: number) => {
    await writeFile(join(folder, path), `${path} ${seconds} `.repeat(Math.ceil(2_000 / (path.length + 12))));
    await utimes(join(folder, path), seconds, seconds);
  };
  for (const path of paths) await write(path, 1_700_000_000);
  const sync = way === 'ours' ? () => runSync(content, folder) : () => uploadAll(content, folder, paths);
  await sync();
  for (const path of paths.slice(0, Math.ceil(files / 100))) await write(path, 1_700_000_001);
  const startedAt = performance.now();
  await sync();
  return performance.now() - startedAt;
}

async function runSync(content: OpenedContent, source: string): Promise<void> {
  const syncs = content.get(SyncService);
  const { id } = await syncs.start(content.workspaceId, { source, direction: 'import' });
  for (;;) {
    const { state, error } = await syncs.get(content.workspaceId, id);
    if (state === 'completed') return;
    if (error !== null) throw new Error(error);
    await pause(5);
  }
}

async function uploadAll(content: OpenedContent, folder: string, paths: readonly string[]): Promise<void> {
  const uploads = content.get(FileUploadService);
  const waiting = [...paths];
  const work = async () => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const body = createReadStream(join(folder, path));
      await uploads.upload(content.workspaceId, path, body, { limitBytes: LIMIT_BYTES });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}
