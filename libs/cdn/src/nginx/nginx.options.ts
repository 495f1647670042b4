import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';

/** What cannot end a word of the configuration. */
const path = z
  .string()
  .regex(/^\/[^\s;{}"'\\$#]*$/, 'must be an absolute path without blanks, quotes, $ ; # { }');
const address = z.string().regex(/^[\w.:[\]-]+$/, 'must be an address with a port, as api:3000');
const size = z.string().regex(/^\d{1,6}[kmg]$/, 'must be a size as nginx writes it, as 512m');

const baseSchema = {
  /** Port, or address and port. */
  listen: z.union([z.number().int().min(1).max(65_535), address]).default(8080),
  serverName: z
    .string()
    .regex(/^[\w.*_-]+(?: [\w.*_-]+)*$/, 'must be host names')
    .default('_'),
  /** User of the workers; only root may change users. @default nginx's own */
  user: z
    .string()
    .regex(/^[a-z_][\w-]*$/)
    .optional(),
  workerProcesses: z.union([z.literal('auto'), z.number().int().min(1).max(256)]).default('auto'),
  /** Everything that nginx writes lies below, but for the cache and logs. */
  temporaryFolder: path.default('/tmp'),
  /** `/dev/stdout`, a file, or false for none. Lines are JSON. */
  accessLog: z.union([path, z.literal(false)]).default('/dev/stdout'),
  errorLog: path.default('/dev/stderr'),
};

const staticSchema = z.strictObject({
  ...baseSchema,
  /** Folder with the files. */
  root: path,
  /** Under which path of the server they are. */
  prefix: z
    .string()
    .regex(/^(?:\/[\w-]+(?:\.[\w-]+)*)*$/, 'write it as "/static": no "/" at the end')
    .default(''),
  /** Whether nginx has the module brotli_static. */
  brotli: z.boolean().default(false),
});

const proxySchema = z.strictObject({
  ...baseSchema,
  /** Where the api listens. */
  upstreams: z.array(address).min(1).default(['api:3000']),
  cache: z
    .strictObject({
      folder: path.default('/tmp/cache'),
      /** Most bytes on disk. */
      maxSize: size.default('512m'),
      /** Memory for keys; 8,000 of them take a megabyte. */
      keys: size.default('16m'),
      /** What nobody asks for goes after so many seconds. */
      inactiveSeconds: z.number().int().min(1).max(31_536_000).default(86_400),
    })
    .prefault({}),
  /** Requests with one of these are never answered from the cache, and their answers never kept. */
  credentialHeaders: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/))
    .default(['Authorization', 'X-API-Key']),
  /**
   * Forget what is kept of a path as soon as a write to it has succeeded. Asks this server once more after each write;
   * needs `post_action`, which is in every nginx and not in its documentation.
   */
  forgetWritten: z.boolean().default(true),
  maxBodySize: size.default('2g'),
  /** Paths whose answers are for one client each and may not end, such as streams of events. */
  streamedPaths: z.array(path).default(['/console/api/']),
  /** Paths that are for the inside. */
  hiddenPaths: z.array(path).default(['/metrics']),
});

export type NginxStaticOptions = z.input<typeof staticSchema>;
export type NginxProxyOptions = z.input<typeof proxySchema>;
export type ParsedStaticOptions = z.output<typeof staticSchema>;
export type ParsedProxyOptions = z.output<typeof proxySchema>;
export type ParsedBaseOptions = Pick<ParsedStaticOptions, keyof typeof baseSchema>;

/** @throws {CdnOptionsError} */
export function parseStaticOptions(input: NginxStaticOptions): ParsedStaticOptions {
  return parsed(staticSchema, input);
}

/** @throws {CdnOptionsError} */
export function parseProxyOptions(input: NginxProxyOptions): ParsedProxyOptions {
  return parsed(proxySchema, input);
}

function parsed<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new CdnOptionsError(z.prettifyError(result.error), { cause: result.error });
}
