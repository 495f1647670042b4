import { z } from 'zod';
import { CdnManifestError } from '../cdn.errors.js';
import { parseRequestPath, encodePath } from '../http/request-path.js';

/** A path below the folder: no leading `/`, nothing that leads out. */
const filePath = z.string().refine((it) => {
  const parsed = parseRequestPath(encodePath(`/${it}`));
  return it !== '' && typeof parsed === 'object' && parsed.path === `/${it}`;
}, 'write it as "assets/app.js": below the folder, without a leading "/"');

/** One entry as bundlers write it (Vite's format); what else they say is kept. */
const entrySchema = z.looseObject({
  /** Name of the file as it is delivered. */
  file: filePath,
  /** Name of the source. */
  src: z.string().optional(),
  css: z.array(filePath).optional(),
  assets: z.array(filePath).optional(),
  /** Subresource integrity: `sha384-…`. */
  integrity: z.string().optional(),
  /** Start of the SHA-256 of the content, hex. What `?v=` names. */
  hash: z
    .string()
    .regex(/^[0-9a-f]{8,64}$/)
    .optional(),
  /** Whether a bundler put a hash into the name, so that source and file have the same one. */
  isHashed: z.boolean().optional(),
  sizeBytes: z.number().int().nonnegative().optional(),
});
const manifestSchema = z.record(z.string(), entrySchema);

const releaseSchema = z.strictObject({
  version: z.literal(1),
  /** Names the contents of all files. */
  id: z.string().regex(/^[0-9a-f]{12}$/),
  manifest: manifestSchema,
});

export type ManifestEntry = Readonly<z.output<typeof entrySchema>>;
/** What is delivered for each source, by path. */
export type Manifest = Readonly<Record<string, ManifestEntry>>;
/** A manifest as a release keeps it. */
export type ReleaseFile = Readonly<z.output<typeof releaseSchema>>;

/** Reads a manifest of Vite or of ours. @throws {CdnManifestError} that names the file and what is wrong with it */
export function parseManifest(path: string, text: string): Manifest {
  return parseWith(manifestSchema, path, text);
}

/** Reads the file of a release. @throws {CdnManifestError} */
export function parseRelease(path: string, text: string): ReleaseFile {
  return parseWith(releaseSchema, path, text);
}

function parseWith<T>(schema: z.ZodType<T>, path: string, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CdnManifestError(path, `it is no JSON (${(cause as Error).message})`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new CdnManifestError(path, z.prettifyError(parsed.error), { cause: parsed.error });
}
