import { z } from 'zod';
import { CacheOptionsError } from '../../cache.errors.js';

const positive = z.number().int().positive();

const schema = z.strictObject({
  /** The folder; made on first use. For this store alone, all of it on one file system. */
  path: z.string().min(1),
  /** Bound of all files, bytes; each counts in whole blocks of 4 KiB. @default 10 GiB */
  maxBytes: positive.min(65_536).default(10 * 1_024 ** 3),
  /** Bound of the objects that may be evicted; the index in memory takes about 230 bytes for each. @default 100,000 */
  maxEntries: positive.default(100_000),
  /** How often the folder is looked through for what expired, crashed or was changed by others, ms. @default 5 min */
  sweepIntervalMs: positive.max(2 ** 31 - 1).default(300_000),
  /** Milliseconds since 1970, for tests. @default the wall clock, which never goes back for a running process */
  now: z.custom<() => number>((it) => typeof it === 'function', 'give a function').optional(),
});

/** What `new FolderStore` takes. */
export type FolderStoreOptions = z.input<typeof schema>;
export type ParsedFolderStoreOptions = Readonly<z.output<typeof schema>>;

/** @throws {CacheOptionsError} with every problem at once. */
export function parseFolderStoreOptions(input: FolderStoreOptions): ParsedFolderStoreOptions {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new CacheOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
}
