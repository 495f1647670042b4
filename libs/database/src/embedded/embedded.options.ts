import { resolve } from 'node:path';

import { z } from 'zod';

import { DatabaseOptionsError } from '../database.errors.js';

/** What keeps the server private to this machine and to its owner is not open to change. */
const FIXED_SETTINGS = new Set([
  'port',
  'listen_addresses',
  'unix_socket_directories',
  'data_directory',
  'hba_file',
]);

const settingName = z
  .string()
  .regex(/^[a-z_][a-z0-9_.]*$/, 'a setting name has lower-case letters, digits, _ and .')
  .refine((it) => !FIXED_SETTINGS.has(it), 'this setting is fixed');

const schema = z.strictObject({
  /** The cluster's folder. Beside it lie `<dataDir>.lock` and, while it is made, `<dataDir>.tmp`. */
  dataDir: z.string().min(1),
  /** Default: a free port on 127.0.0.1. */
  port: z.int().min(1).max(65_535).optional(),
  /** Created when it is missing. */
  databaseName: z.string().min(1).max(63).default('peregrine'),
  /** Further server settings, by their names in postgresql.conf. */
  settings: z.record(settingName, z.string()).default({}),
  /** Gets every log line of initdb and of the server. */
  onLog: z.custom<(line: string) => void>((it) => typeof it === 'function', 'a function').optional(),
  /** A fast shutdown that takes longer becomes an immediate one, milliseconds. */
  stopTimeoutMs: z.int().positive().default(30_000),
  /** From the server's start to its readiness, crash recovery included, milliseconds. */
  startTimeoutMs: z.int().positive().default(120_000),
});

/** What {@link EmbeddedPostgres.start} takes. */
export type EmbeddedPostgresOptions = z.input<typeof schema>;
export type ParsedEmbeddedOptions = Readonly<z.output<typeof schema>>;

/** @throws {DatabaseOptionsError} with every problem at once */
export function parseEmbeddedOptions(input: EmbeddedPostgresOptions): ParsedEmbeddedOptions {
  const result = schema.safeParse(input);
  if (!result.success) {
    throw new DatabaseOptionsError(result.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`));
  }
  return Object.freeze({ ...result.data, dataDir: resolve(result.data.dataDir) });
}
