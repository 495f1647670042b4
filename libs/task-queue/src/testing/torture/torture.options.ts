import { randomBytes, randomInt } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { type TaskQueueOptionsInput } from '../../task-queue.options.js';
import { type TaskSubmission } from '../../task-queue.service.js';
import { type Range } from '../random.js';
import { TortureSetupError } from '../testing.errors.js';

const milliseconds = z.number().int().nonnegative().max(3_600_000);

const rangeSchema = z
  .tuple([milliseconds, milliseconds])
  .refine(([least, most]) => least <= most, 'must be [least, most]');

const switchable = <S extends z.ZodType>(schema: S) => z.union([z.literal(false), schema]);

const faultsSchema = z.strictObject({
  kill: switchable(z.strictObject({ everyMs: rangeSchema.default([200, 500]) })).prefault({}),
  blockLoop: switchable(
    z.strictObject({
      everyMs: rangeSchema.default([1_000, 3_000]),
      forMs: rangeSchema.default([500, 2_500]),
    }),
  ).prefault({}),
  pauseStore: switchable(
    z.strictObject({
      everyMs: rangeSchema.default([2_000, 5_000]),
      forMs: rangeSchema.default([500, 2_000]),
      by: z
        .union([
          z.enum(['freeze', 'cut', 'client-pause']),
          z.strictObject({ pid: z.number().int().positive() }),
        ])
        .default('freeze'),
    }),
  ).prefault({}),
});

const schema = z.strictObject({
  backend: z.looseObject({ type: z.enum(['redis', 'postgres']), url: z.url() }),
  module: z.union([z.string().min(1), z.instanceof(URL)]),
  submissions: z.array(z.custom<TaskSubmission>((it) => it instanceof Object && 'definition' in it)).min(1),
  prefix: z.string().optional(),
  workers: z.number().int().min(1).max(64).default(2),
  worker: z.record(z.string(), z.number()).default({}),
  faults: faultsSchema.prefault({}),
  faultsForMs: milliseconds.default(30_000),
  timeoutMs: milliseconds.min(1).default(120_000),
  seed: z.number().int().optional(),
  nodeArguments: z.array(z.string()).default([]),
});

/** How long between two faults, milliseconds, drawn anew each time. */
export interface FaultInterval {
  readonly everyMs?: Range;
}

/** What is done to the workers; `false` leaves it out. */
export interface TortureFaults {
  /** SIGKILL for a worker that has begun a task. Another takes its place. @default every 200 to 500 ms */
  readonly kill?: FaultInterval | false;
  /** Holds up a worker's event loop, so that it may lose its locks. @default every 1 to 3 s, for 0.5 to 2.5 s */
  readonly blockLoop?: (FaultInterval & { readonly forMs?: Range }) | false;
  /**
   * Takes the store from the workers for a while. @default every 2 to 5 s, for 0.5 to 2 s
   *
   * - `freeze` (default): a proxy before the store takes connections and data, and passes nothing on
   * - `cut`: the proxy breaks all connections and refuses new ones
   * - `client-pause`: `CLIENT PAUSE` of Redis, for all who use the server
   * - `{ pid }`: SIGSTOP and SIGCONT for the server's process
   */
  readonly pauseStore?:
    | (FaultInterval & {
        readonly forMs?: Range;
        readonly by?: 'freeze' | 'cut' | 'client-pause' | { readonly pid: number };
      })
    | false;
}

export interface TortureOptions {
  /** A real store, best one that nothing else uses. A TLS certificate must be good for 127.0.0.1. */
  readonly backend: Exclude<TaskQueueOptionsInput['backend'], { readonly type: 'inline' }>;
  /**
   * Path or file URL of a module that a worker process imports. It exports `tasks`, the list that `createTaskQueue`
   * takes, or a function, also an asynchronous one, that makes it.
   */
  readonly module: string | URL;
  /** What is submitted before the first fault; `id` is given where there is none. */
  readonly submissions: readonly TaskSubmission[];
  /** @default a random one */
  readonly prefix?: string;
  /** Worker processes at once. @default 2 */
  readonly workers?: number;
  /** Of each worker. @default concurrency 5, locks of 1,000 ms, looked for every 300 ms, 1,000 deaths of a task's workers */
  readonly worker?: Readonly<
    Partial<Record<'concurrency' | 'lockDurationMs' | 'stalledIntervalMs' | 'maxStalledCount', number>>
  >;
  readonly faults?: TortureFaults;
  /** No fault begins later than this after the first task; what is left must end by itself then. @default 30_000 */
  readonly faultsForMs?: number;
  /** From the first submission to the end of the last task; what has not ended is stuck. @default 120_000 */
  readonly timeoutMs?: number;
  /** Of all that is random; it is in the report. @default a random one */
  readonly seed?: number;
  /** For Node in the worker processes, like `['--import', 'tsx']`. */
  readonly nodeArguments?: readonly string[];
  /** Told about four times a second. */
  readonly onProgress?: (progress: TortureProgress) => void;
  /** Ends the torture, which rejects with its reason. */
  readonly signal?: AbortSignal;
}

export interface TortureProgress {
  readonly elapsedMs: number;
  readonly submitted: number;
  /** Not ended yet; `null` while the store does not tell. */
  readonly left: number | null;
  /** Handler calls that have begun; an item of a batch counts as one. */
  readonly executions: number;
  readonly kills: number;
}

const WORKER_DEFAULTS = {
  concurrency: 5,
  lockDurationMs: 1_000,
  stalledIntervalMs: 300,
  maxStalledCount: 1_000,
};

export type ParsedTortureOptions = ReturnType<typeof parseTortureOptions>;

/** @throws {TortureSetupError} with every problem */
export function parseTortureOptions({ onProgress, signal, ...input }: TortureOptions) {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new TortureSetupError(z.prettifyError(parsed.error), { cause: parsed.error });
  const { pauseStore } = parsed.data.faults;
  if (pauseStore && pauseStore.by === 'client-pause' && input.backend.type !== 'redis') {
    throw new TortureSetupError('client-pause is for Redis; use freeze, cut or { pid }');
  }
  const { module, prefix = `torture-${randomBytes(6).toString('hex')}` } = parsed.data;
  return {
    ...parsed.data,
    backend: input.backend,
    module: module instanceof URL ? module.href : moduleUrl(module),
    prefix,
    worker: { ...WORKER_DEFAULTS, ...parsed.data.worker },
    seed: parsed.data.seed ?? randomInt(2 ** 31),
    onProgress: onProgress ?? (() => undefined),
    signal,
  };
}

function moduleUrl(pathOrUrl: string): string {
  return pathOrUrl.startsWith('file:') ? pathOrUrl : pathToFileURL(pathOrUrl).href;
}
