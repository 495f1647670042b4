import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';
import { DEFAULT_GRACE_MS } from './releases.js';
import type { PolicyOptionsInput } from '../policy/policy.options.js';
import type { PolicyTable } from '../policy/policy-table.js';

/** How far a build has come. */
export interface BuildProgress {
  readonly done: number;
  readonly total: number;
  /** The file that was done last. */
  readonly path: string;
}

const schema = z.strictObject({
  /** Folder with the output of a bundler, or any files. */
  source: z.string().min(1),
  /** Folder that is served and keeps the files of all live releases. @default the source itself */
  target: z.string().min(1).optional(),
  /** A table, or what to make one from. */
  policy: z.custom<PolicyTable | PolicyOptionsInput>((it) => typeof it === 'object').default({}),
  /** How long files of a replaced release stay, milliseconds. */
  graceMs: z.number().int().nonnegative().default(DEFAULT_GRACE_MS),
  /** Of brotli, 0 to 11. */
  brotliQuality: z.number().int().min(0).max(11).default(11),
  /** Of gzip, 1 to 9. */
  gzipLevel: z.number().int().min(1).max(9).default(9),
  /** Of zstd, 1 to 22; where this Node has it. */
  zstdLevel: z.number().int().min(1).max(22).default(19),
  /** Smaller files are not compressed, bytes. */
  minBytes: z.number().int().nonnegative().default(1_024),
  /** Called after each file. */
  onProgress: z.custom<(progress: BuildProgress) => void>((it) => typeof it === 'function').optional(),
  /** Ends the build between two files. */
  signal: z.custom<AbortSignal>((it) => it instanceof AbortSignal).optional(),
});

export type BuildOptionsInput = z.input<typeof schema>;
export type BuildOptions = Readonly<z.output<typeof schema>>;

/** @throws {CdnOptionsError} with every problem at once */
export function parseBuildOptions(input: BuildOptionsInput): BuildOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new CdnOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
  return parsed.data;
}
