import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MetricsProfileNotFoundError, MetricsProfileRefusedError } from '../metrics.errors.js';
import { PROFILE_EXTENSIONS, type Profile, PROFILE_KINDS, type ProfileKind } from './profile.js';

/** As {@link profileId} makes it, so that no id leaves the folder. */
const NAME = /^(\d{8}T\d{9}Z-\d+-(?:cpu|heap|snapshot))\.(\w+)$/;
const ONLY_OWNER_FILE = 0o600;
const ONLY_OWNER_FOLDER = 0o700;

/** Sorts by time. */
export function profileId(kind: ProfileKind, at: Date): string {
  return `${at.toISOString().replaceAll(/[-:.]/g, '')}-${process.pid}-${kind}`;
}

/** Profiles as files that only the owner of the process can read, bounded by number and bytes; the oldest go first. */
export class ProfileFolder {
  constructor(
    private readonly path: string,
    private readonly limits: { readonly maxCount: number; readonly maxBytes: number },
  ) {}

  /** The newest first; those of other processes with the same folder, too. */
  async list(): Promise<Profile[]> {
    const names = await readdir(this.path).catch(ifMissing([] as string[]));
    const found = await Promise.all(names.map((name) => this.#describe(name)));
    return found.filter((it) => it !== undefined).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** @throws {MetricsProfileNotFoundError} */
  async read(id: string): Promise<{ profile: Profile; content: Readable }> {
    const profile = (await this.list()).find((it) => it.id === id);
    if (!profile) throw new MetricsProfileNotFoundError(id);
    return { profile, content: createReadStream(join(this.path, fileName(profile))) };
  }

  /** All of it or nothing. @throws {MetricsProfileRefusedError} it is larger than all may be */
  async write(id: string, kind: ProfileKind, content: Readable): Promise<Profile> {
    await mkdir(this.path, { recursive: true, mode: ONLY_OWNER_FOLDER });
    const path = join(this.path, fileName({ id, kind }));
    const unfinished = `${path}.part`;
    try {
      const file = await open(unfinished, 'wx', ONLY_OWNER_FILE);
      await pipeline(content, bounded(this.limits.maxBytes), file.createWriteStream());
      await rename(unfinished, path);
    } finally {
      await rm(unfinished, { force: true });
    }
    const written = await this.#describe(fileName({ id, kind }));
    await this.#prune();
    if (!written) throw new MetricsProfileNotFoundError(id);
    return written;
  }

  async #prune(): Promise<void> {
    let bytes = 0;
    for (const [index, profile] of (await this.list()).entries()) {
      bytes += profile.sizeBytes;
      // What was taken last is what somebody waits for.
      if (index > 0 && (index >= this.limits.maxCount || bytes > this.limits.maxBytes))
        await rm(join(this.path, fileName(profile)), { force: true });
    }
  }

  async #describe(name: string): Promise<Profile | undefined> {
    const [, id, extension] = NAME.exec(name) ?? [];
    const kind = PROFILE_KINDS.find((it) => PROFILE_EXTENSIONS[it] === extension);
    if (id === undefined || kind === undefined) return undefined;
    const file = await stat(join(this.path, name)).catch(ifMissing(undefined));
    return file && { id, kind, state: 'done', startedAt: startOf(id), sizeBytes: file.size, error: null };
  }
}

/** Ends what would not fit, instead of filling the disk with it. */
function bounded(maxBytes: number) {
  return async function* (source: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer | string> {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += Buffer.byteLength(chunk);
      if (bytes > maxBytes)
        throw new MetricsProfileRefusedError('size', `It is larger than ${maxBytes} bytes, the bound of all`);
      yield chunk;
    }
  };
}

function fileName({ id, kind }: Pick<Profile, 'id' | 'kind'>): string {
  return `${id}.${PROFILE_EXTENSIONS[kind]}`;
}

function startOf(id: string): Date {
  const [, date, time, ms] = /^(\d{8})T(\d{6})(\d{3})Z/.exec(id) ?? [];
  const day = date?.replace(/(....)(..)(..)/, '$1-$2-$3');
  return new Date(`${day}T${time?.replace(/(..)(..)(..)/, '$1:$2:$3')}.${ms}Z`);
}

/** Nothing was written yet, or another process has removed it meanwhile. */
function ifMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead;
    throw error;
  };
}
