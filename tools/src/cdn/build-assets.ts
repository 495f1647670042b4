import { Presets, SingleBar } from 'cli-progress';
import type { BuildReport } from '@peregrine/cdn';

import { build } from '../build.ts';
import { parseOptions, parseWholeNumber } from '../command-line.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { fromCallersFolder } from '../paths.ts';
import { InterruptedError, UsageError } from '../tools.errors.ts';

const DAY_MS = 86_400_000;

const HELP = `Usage: npm run cdn -- build <folder> [options]

Gives every file of the folder a name with the hash of its content, compresses it (brotli 11, gzip 9, zstd 19), writes
the manifest asset-manifest.json, and makes this the current release in one step. Files of earlier releases keep
answering for the grace period, then they are removed. What exists is not made again; names that Vite has hashed stay.

  --out <folder>        where the releases are kept and served from (default: the folder itself)
  --grace-days <n>      how long files of earlier releases stay (default: 14)
  --json <file>         write what came out as JSON
  --no-build            use the library as it was built before
  --help                this text`;

/** `npm run cdn -- build` */
export async function buildAssets(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions('npm run cdn -- build', {
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      out: { type: 'string' },
      'grace-days': { type: 'string', default: '14' },
      json: { type: 'string' },
      build: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new UsageError(`Name one folder.\n\n${HELP}`);
  const graceDays = parseWholeNumber('--grace-days', values['grace-days'], [0, 3_650]);
  if (values.build) await build();
  const { buildRelease, writeWhole } = await import('@peregrine/cdn');
  const interrupt = listenForInterrupt();
  const bar = progressBar();
  try {
    const startedAt = performance.now();
    const report = await buildRelease({
      source: fromCallersFolder(folder),
      target: values.out === undefined ? undefined : fromCallersFolder(values.out),
      graceMs: graceDays * DAY_MS,
      signal: interrupt.stop,
      onProgress: ({ done, total }) => {
        if (done === 1) bar.start(total, 0);
        bar.update(done);
      },
    });
    bar.stop();
    console.log(describe(report, (performance.now() - startedAt) / 1_000));
    if (values.json !== undefined)
      await writeWhole(fromCallersFolder(values.json), `${JSON.stringify(report)}\n`);
    return 0;
  } catch (error) {
    bar.stop();
    if (interrupt.stop.aborted) throw new InterruptedError();
    throw error;
  } finally {
    interrupt.dispose();
  }
}

function describe(report: BuildReport, seconds: number): string {
  const { compressed, files, sizeBytes, isNew, releaseId, removedFiles, manifestPath } = report;
  const form = (name: string, bytes: number | undefined) =>
    bytes === undefined || compressed.sizeBytes === 0
      ? []
      : [
          `  ${name.padEnd(7)} ${sizeOf(bytes)}, saves ${Math.round(100 * (1 - bytes / compressed.sizeBytes))} %`,
        ];
  return [
    `${files} files, ${sizeOf(sizeBytes)}, in ${seconds.toFixed(1)} s; ${sizeOf(compressed.sizeBytes)} of them compress:`,
    ...form('brotli', compressed.br),
    ...form('gzip', compressed.gzip),
    ...form('zstd', compressed.zstd),
    isNew ? `Release ${releaseId} is now the current one.` : `Nothing changed: release ${releaseId} stays.`,
    ...(removedFiles > 0 ? [`Removed ${removedFiles} files of expired releases.`] : []),
    `Manifest: ${manifestPath}`,
  ].join('\n');
}

function sizeOf(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(2)} MB`;
}

function progressBar(): SingleBar {
  const options = {
    format: '  {bar} {value}/{total} files {duration_formatted}',
    hideCursor: true,
    stream: process.stdout,
  };
  return new SingleBar(options, Presets.shades_classic);
}
