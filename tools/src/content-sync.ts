import { setTimeout as pause } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';

import { INTERRUPTED_EXIT_CODE, parseOptions, runCommand } from './command-line.ts';
import { listenForInterrupt } from './interrupt.ts';
import { DEFAULT_DATA_FOLDER, fromCallersFolder } from './paths.ts';
import { DataFolder, devFileIn } from './platform/data-folder.ts';
import { readDevFile } from './platform/dev-file.ts';
import { keyFor, parseUrl } from './platform/named-api.ts';
import { PlatformMissingError, UnexpectedAnswerError, UsageError } from './tools.errors.ts';

const HELP = `Usage: npm run content:sync -- <folder or s3://bucket/prefix> <workspace id> [options]

Mirrors a folder or bucket of the platform's machine into a workspace, and waits for the end. The folder must lie below one of
CONTENT_SYNC_ROOTS, the bucket be one of CONTENT_SYNC_BUCKETS, in the environment of the platform.

  --back           the other way: the workspace into the folder or bucket
  --dry-run        change nothing, and say what would be changed
  --delete         delete at the target what the source does not have
  --overwrite      give up what was changed at the target; without it that is a conflict, and kept
  --url <address>  the api there, with the key in BOOTSTRAP_ADMIN_KEY
  --data <folder>  data folder of the platform (default: .peregrine)
  --help           this text

Exit code 0: in step. 1: conflicts or skipped files, which are named, or it failed. 130: Ctrl-C; what was copied stays.`;

const options = {
  back: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  delete: { type: 'boolean', default: false },
  overwrite: { type: 'boolean', default: false },
  url: { type: 'string' },
  data: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const POLL_MS = 300;
const REQUEST_TIMEOUT_MS = 30_000;

const syncSchema = z.object({
  id: z.string(),
  expected: z.number().nullable(),
  counts: z.record(z.string(), z.number()),
  problems: z.array(z.object({ path: z.string(), kind: z.string(), reason: z.string() })),
  state: z.string(),
  error: z.string().nullable(),
  endedAt: z.string().nullable(),
});
type Sync = z.output<typeof syncSchema>;
type Ask = (method: string, path: string, body?: unknown) => Promise<Sync>;

await runCommand(async () => {
  const line = { options, allowPositionals: true } as const;
  const { values, positionals } = parseOptions('npm run content:sync --', line);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [source, workspace, ...others] = positionals;
  if (!source || !workspace || others.length > 0)
    throw new UsageError(
      'Give a folder or bucket, and the id of a workspace. Run "npm run content:sync -- --help".',
    );
  const ask = await apiOf(workspace, values.url, values.data);
  const started = await ask('POST', '', {
    source: source.startsWith('s3://') ? source : fromCallersFolder(source),
    direction: values.back ? 'export' : 'import',
    dryRun: values['dry-run'],
    deletes: values.delete,
    overwrites: values.overwrite,
  });
  return watch(started, ask);
});

/** @returns the exit code */
async function watch(started: Sync, ask: Ask): Promise<number> {
  const interrupt = listenForInterrupt();
  // Where there is no terminal it prints nothing until the end.
  const bar = new SingleBar(
    { format: '{bar} {percentage} % | {value} of {total} files' },
    Presets.shades_classic,
  );
  bar.start(started.expected ?? 0, 0);
  try {
    for (let sync = started; ; sync = await ask('GET', `/${started.id}`)) {
      bar.setTotal(Math.max(sync.expected ?? 0, sync.counts['seen'] ?? 0));
      bar.update(sync.counts['seen'] ?? 0);
      if (sync.endedAt !== null) {
        bar.stop();
        return report(sync);
      }
      if (interrupt.stop.aborted) {
        await ask('DELETE', `/${started.id}`);
        return INTERRUPTED_EXIT_CODE;
      }
      await pause(POLL_MS);
    }
  } finally {
    bar.stop();
    interrupt.dispose();
  }
}

function report({ state, counts, problems, error }: Sync): number {
  for (const { path, kind, reason } of problems) console.log(`${kind}: ${path}: ${reason}`);
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count.toLocaleString('en')}`);
  console.log(`${state}: ${parts.join(', ')}${error === null ? '' : `; ${error}`}`);
  return state === 'completed' && problems.length === 0 ? 0 : 1;
}

/** @throws {PlatformMissingError} @throws {UsageError} */
async function apiOf(workspace: string, url: string | undefined, data: string | undefined): Promise<Ask> {
  const folder = data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(data);
  const dev = (await DataFolder.isInUse(folder)) ? await readDevFile(devFileIn(folder)) : undefined;
  if (url === undefined && !dev) {
    throw new PlatformMissingError(
      `No platform runs on ${folder}: start one with "npm start", or name its api by --url.`,
    );
  }
  const origin = url === undefined ? (dev?.url ?? '') : parseUrl(url);
  const key = url === undefined ? (dev?.adminKey ?? '') : keyFor(url, dev);
  const base = `${origin}/api/v1/workspaces/${encodeURIComponent(workspace)}/syncs`;
  return (method, path, body) => request(`${base}${path}`, { method, key, body });
}

/** @throws {PlatformMissingError} @throws {UnexpectedAnswerError} */
async function request(url: string, wish: { method: string; key: string; body: unknown }): Promise<Sync> {
  const { method, key, body } = wish;
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new PlatformMissingError(`The api on ${new URL(url).origin} does not answer: is it running?`, {
      cause,
    });
  });
  const answer: unknown = await response.json().catch(() => undefined);
  const sync = syncSchema.safeParse(answer);
  if (response.ok && sync.success) return sync.data;
  const { detail } = (answer ?? {}) as { detail?: string };
  throw new UnexpectedAnswerError(`The api refused (${response.status}): ${detail ?? response.statusText}`);
}
