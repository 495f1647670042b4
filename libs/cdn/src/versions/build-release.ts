import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CdnBuildError, CdnHashCollisionError } from '../cdn.errors.js';
import { compress, type Compression, hasZstd, NEIGHBOUR_ENDINGS } from '../origin/coded-content.js';
import { PolicyTable } from '../policy/policy-table.js';
import { hashContent, hashedNameOf, listAssets, readViteManifest } from './asset-files.js';
import { type BuildOptions, type BuildOptionsInput, parseBuildOptions } from './build.options.js';
import { collectGarbage } from './garbage.js';
import type { Manifest, ManifestEntry } from './manifest.js';
import { absent, ReleaseFolder, writeWhole } from './release-folder.js';

/** For other programs; readable by what reads Vite's manifest. */
export const MANIFEST_NAME = 'asset-manifest.json';
/** As many as the thread pool has threads. */
const PARALLEL_FILES = 4;

/** What came out of a build. */
export interface BuildReport {
  /** Names the contents of all files. */
  readonly releaseId: string;
  /** False when everything is as in the current release. */
  readonly isNew: boolean;
  readonly files: number;
  /** Of the files as they are, bytes. */
  readonly sizeBytes: number;
  /** Of those that have a compressed form: as they are, and in each form, bytes. */
  readonly compressed: { readonly sizeBytes: number } & Readonly<Partial<Record<Compression, number>>>;
  /** Files of releases whose grace period is over, removed. */
  readonly removedFiles: number;
  /** Where the manifest is. */
  readonly manifestPath: string;
}

interface BuiltFile {
  readonly path: string;
  readonly entry: ManifestEntry;
  readonly codedBytes: Partial<Record<Compression, number>>;
}

/**
 * Makes a release of a folder: gives each file a name with its hash, compresses it once and well, and then, in one
 * rename, makes its manifest the current one. What is there already is not made again.
 *
 * @throws {CdnBuildError} when the source can not be read or holds nothing
 * @throws {CdnHashCollisionError} when a hashed name exists with another content
 * @throws {CdnManifestError} when the manifest of the bundler does not parse
 */
export async function buildRelease(input: BuildOptionsInput): Promise<BuildReport> {
  const options = parseBuildOptions(input);
  const target = resolve(options.target ?? options.source);
  const folder = new ReleaseFolder(target);
  // Before anything is written: a mistyped source must not become a new folder.
  const listed = await listAssets(options.source);
  const releases = (await folder.fingerprint()) === undefined ? [] : await folder.read();
  const paths = withoutOwnFiles(
    listed,
    releases.map((it) => it.manifest),
  );
  if (paths.length === 0) throw new CdnBuildError(`the folder "${options.source}" holds no files`);
  const bundled = await readViteManifest(options.source);
  const builder = new FileBuilder(options, target, bundled);
  const built = await builder.buildAll(paths);
  const own = Object.fromEntries(built.map(({ path, entry }) => [path, entry]));
  const others = withHashes(bundled ?? {}, own);
  // In Vite's manifest the key of a page stands for its script; to us it is the page.
  const manifest = { ...others, ...own };
  const releaseId = createHash('sha256').update(JSON.stringify(manifest)).digest('hex').slice(0, 12);
  const isNew = releases[0]?.id !== releaseId;
  const manifestPath = join(target, MANIFEST_NAME);
  if (isNew) {
    await folder.publish(releaseId, manifest);
    await writeWhole(manifestPath, `${JSON.stringify({ ...own, ...others }, null, 1)}\n`);
  }
  await builder.publishPlainNames(built);
  const removedFiles = await collectGarbage(folder, options.graceMs, {
    isInPlace: target === resolve(options.source),
  });
  return { releaseId, isNew, manifestPath, removedFiles, files: built.length, ...sizesOf(built) };
}

/** In place, earlier builds left hashed copies beside the sources. */
function withoutOwnFiles(paths: readonly string[], manifests: readonly Manifest[]): string[] {
  const own = new Set([MANIFEST_NAME]);
  for (const manifest of manifests) {
    for (const [source, { file }] of Object.entries(manifest)) if (file !== source) own.add(file);
  }
  return paths.filter((it) => !own.has(it));
}

class FileBuilder {
  readonly #policies: PolicyTable;
  readonly #bundledFiles: ReadonlySet<string>;

  constructor(
    private readonly options: BuildOptions,
    private readonly target: string,
    bundled: Manifest | undefined,
  ) {
    const { policy } = options;
    this.#policies = policy instanceof PolicyTable ? policy : new PolicyTable(policy);
    const entries = Object.values(bundled ?? {});
    this.#bundledFiles = new Set(entries.flatMap((it) => [it.file, ...(it.css ?? []), ...(it.assets ?? [])]));
  }

  async buildAll(paths: readonly string[]): Promise<BuiltFile[]> {
    const built: BuiltFile[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let i = next++; i < paths.length; i = next++) {
        this.options.signal?.throwIfAborted();
        const path = paths[i] as string;
        built[i] = await this.#build(path);
        this.options.onProgress?.({ done: built.filter(Boolean).length, total: paths.length, path });
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_FILES }, work));
    return built;
  }

  /** The names of the sources, for servers that know no manifest: after everything that they lead to. */
  async publishPlainNames(built: readonly BuiltFile[]): Promise<void> {
    for (const { path, entry, codedBytes } of built) {
      if (entry.file === path) continue;
      for (const ending of ['', ...endingsOf(codedBytes)]) {
        const content = await readFile(join(this.target, entry.file + ending));
        const before = await readFile(join(this.target, path + ending)).catch(absent);
        if (!before?.equals(content)) await writeWhole(join(this.target, path + ending), content);
      }
    }
  }

  async #build(path: string): Promise<BuiltFile> {
    const content = await readFile(join(this.options.source, path));
    const { hash, integrity } = hashContent(content);
    // Named after its content by a bundler that says so; the look of a name alone proves nothing.
    const isHashed = this.#bundledFiles.has(path) && this.#policies.isHashedName(path);
    const file = isHashed ? path : hashedNameOf(path, hash);
    await this.#write(file, content);
    const codedBytes = this.#policies.policyFor(path).isNegotiable ? await this.#compress(file, content) : {};
    const entry = {
      file,
      src: path,
      hash,
      integrity,
      sizeBytes: content.length,
      ...(isHashed && { isHashed }),
    };
    return { path, entry, codedBytes };
  }

  async #write(file: string, content: Buffer): Promise<void> {
    const before = await readFile(join(this.target, file)).catch(absent);
    if (before === undefined) await writeWhole(join(this.target, file), content);
    else if (!before.equals(content)) throw new CdnHashCollisionError(file);
  }

  async #compress(file: string, content: Buffer): Promise<Partial<Record<Compression, number>>> {
    const sizes: Partial<Record<Compression, number>> = {};
    if (content.length < this.options.minBytes) return sizes;
    for (const coding of ['br', 'gzip', ...(hasZstd ? (['zstd'] as const) : [])] as const) {
      const path = join(this.target, file + NEIGHBOUR_ENDINGS[coding]);
      // The name has the hash of the content: what is there was made from it.
      const before = await readFile(path).catch(absent);
      const coded = before ?? (await compress(coding, content, this.options));
      if (coded.length >= content.length) continue;
      if (before === undefined) await writeWhole(path, coded);
      sizes[coding] = coded.length;
    }
    return sizes;
  }
}

/** The bundler's entries, with what we know of their files. */
function withHashes(bundled: Manifest, own: Manifest): Manifest {
  return Object.fromEntries(
    Object.entries(bundled).map(([source, entry]) => {
      const known = own[entry.file];
      return [source, { ...entry, ...(known && { integrity: known.integrity, hash: known.hash }) }];
    }),
  );
}

function endingsOf(codedBytes: Partial<Record<Compression, number>>): string[] {
  return (Object.keys(codedBytes) as Compression[]).map((it) => NEIGHBOUR_ENDINGS[it]);
}

function sizesOf(built: readonly BuiltFile[]): Pick<BuildReport, 'sizeBytes' | 'compressed'> {
  const sum = (of: (it: BuiltFile) => number) => built.reduce((total, it) => total + of(it), 0);
  const bytes = ({ entry }: BuiltFile) => entry.sizeBytes ?? 0;
  const isCoded = ({ codedBytes }: BuiltFile) => Object.keys(codedBytes).length > 0;
  const inForm = (coding: Compression) =>
    sum((it) => (isCoded(it) ? (it.codedBytes[coding] ?? bytes(it)) : 0));
  return {
    sizeBytes: sum(bytes),
    compressed: {
      sizeBytes: sum((it) => (isCoded(it) ? bytes(it) : 0)),
      br: inForm('br'),
      gzip: inForm('gzip'),
      ...(hasZstd && { zstd: inForm('zstd') }),
    },
  };
}
