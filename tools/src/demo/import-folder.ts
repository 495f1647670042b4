import { Presets, SingleBar } from 'cli-progress';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { UsageError } from '../tools.errors.ts';
import type { ApiClient } from './api-client.ts';
import { concurrently } from './concurrently.ts';

const UPLOADS_AT_ONCE = 16;
const POLL_MS = 200;

/** Files to import. */
export interface Selection {
  /** Absolute. */
  readonly folder: string;
  /** Relative to the folder, `/` between segments. */
  readonly paths: readonly string[];
}

export interface ImportedFile {
  readonly id: string;
  readonly sizeBytes: number;
}

/**
 * All Markdown files below a folder.
 *
 * @throws {UsageError} when there is none
 */
export async function selectFiles(folder: string): Promise<Selection> {
  const paths: string[] = [];
  for await (const path of glob('**/*.{md,markdown}', { cwd: folder }))
    paths.push(path.replaceAll('\\', '/'));
  if (paths.length === 0) throw new UsageError(`${folder} holds no Markdown file to import`);
  return { folder, paths: paths.toSorted() };
}

/** Uploads the files over HTTP, with a progress bar. */
export async function importFiles(
  api: ApiClient,
  workspaceId: string,
  { folder, paths }: Selection,
): Promise<ImportedFile[]> {
  const imported: ImportedFile[] = [];
  const bar = progressBar('Importing', 'files');
  bar.start(paths.length, 0);
  try {
    await concurrently(paths, UPLOADS_AT_ONCE, async (path) => {
      const target = path.split('/').map(encodeURIComponent).join('/');
      const response = await api.request('PUT', `/workspaces/${workspaceId}/files/${target}`, {
        body: await readFile(join(folder, path)),
      });
      const { file } = (await response.json()) as { file: ImportedFile };
      imported.push(file);
      bar.increment();
    });
  } finally {
    bar.stop();
  }
  return imported;
}

/** Waits until the worker has read the text of every file. */
export async function awaitExtraction(api: ApiClient, workspaceId: string): Promise<Record<string, number>> {
  const bar = progressBar('Extracting', 'texts');
  try {
    for (let isFirst = true; ; isFirst = false) {
      const { files, byStatus } = await api.json<{ files: number; byStatus: Record<string, number> }>(
        'GET',
        `/workspaces/${workspaceId}/statistics`,
      );
      if (isFirst) bar.start(files, 0);
      const pending = byStatus['pending'] ?? 0;
      bar.update(files - pending);
      if (pending === 0) return byStatus;
      await delay(POLL_MS);
    }
  } finally {
    bar.stop();
  }
}

/** On a terminal a bar; elsewhere a line now and then. */
function progressBar(title: string, unit: string): SingleBar {
  const options = {
    format: `  ${title.padEnd(10)} {bar} {value}/{total} ${unit} {duration_formatted}`,
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    stream: process.stdout,
  };
  return new SingleBar(options, Presets.shades_classic);
}
