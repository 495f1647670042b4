import { type Dirent } from 'node:fs';
import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ProviderUnavailableError } from './provider.errors.js';
import { type NginxCacheOptions } from './provider.options.js';
import { type PurgeLimits, type PurgeProvider, type PurgeRequest } from './purge-provider.js';

/** The binary header, the key, and the response's headers lie in front of the body. nginx's own buffer is 4 to 8 KiB. */
const HEAD_BYTES = 16_384;
const READS_AT_ONCE = 32;
const RATE = { bucket: 'purge', ratePerSecond: 2, burst: 4, cost: 'request' } as const;

/** What a file of the cache holds, as far as a purge looks at it. */
interface StoredResponse {
  readonly path: string;
  readonly surrogateKeys: readonly string[];
}

/**
 * The cache folder of an open-source nginx on this machine, which has no purge of its own: files whose key or whose
 * stored `Surrogate-Key` matches are deleted, and nginx takes a file that is gone for a miss. Every copy of a varying
 * response goes. Reads the head of every file, so requests are few and large.
 */
export class NginxCacheProvider implements PurgeProvider {
  readonly name: string;
  readonly limits: PurgeLimits;
  readonly #folder: string;

  constructor(options: NginxCacheOptions) {
    this.name = options.name ?? 'nginx-cache';
    this.#folder = options.folder;
    const its = { perRequest: 10_000, escalateAbove: 10_000, rate: RATE, soft: false };
    this.limits = { path: its, wildcard: its, tag: its, everything: its };
  }

  async purge({ kind, values }: PurgeRequest, signal: AbortSignal): Promise<void> {
    const wanted = new Set(values);
    const prefixes = values.map((it) => it.slice(0, -1));
    const matches = ({ path, surrogateKeys }: StoredResponse) => {
      if (kind === 'tag') return surrogateKeys.some((it) => wanted.has(it));
      return kind === 'path' ? wanted.has(path) : prefixes.some((it) => path.startsWith(it));
    };
    const files = await this.#files();
    for (let start = 0; start < files.length; start += READS_AT_ONCE) {
      signal.throwIfAborted();
      await Promise.all(
        files.slice(start, start + READS_AT_ONCE).map(async (file) => {
          if (kind !== 'everything') {
            const stored = await this.#read(file);
            if (!stored || !matches(stored)) return;
          }
          await this.#orGone(() => unlink(file));
        }),
      );
    }
  }

  async #files(): Promise<string[]> {
    let entries: Dirent[];
    try {
      entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    } catch (error) {
      throw this.#failure(error);
    }
    // A name is the MD5 of the key; one with a suffix is still being written.
    return entries
      .filter((it) => it.isFile() && /^[0-9a-f]{32}(?:\.\d+)?$/.test(it.name))
      .map((it) => join(it.parentPath, it.name));
  }

  async #read(file: string): Promise<StoredResponse | undefined> {
    return this.#orGone(async () => {
      const handle = await open(file);
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
        return parseStoredResponse(buffer.toString('latin1', 0, bytesRead));
      } finally {
        await handle.close();
      }
    });
  }

  /** nginx may have removed the file itself. */
  async #orGone<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): ProviderUnavailableError {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const reason = `its cache folder ${this.#folder} cannot be read or cleared (${code})`;
    return new ProviderUnavailableError(this.name, reason, undefined, { cause: error });
  }
}

/**
 * @param head begins with nginx's binary header, then `\nKEY: <key>\n`, then the response's headers as they came
 * @internal
 */
export function parseStoredResponse(head: string): StoredResponse | undefined {
  const key = /\nKEY: ([^\n]*)\n/.exec(head);
  if (!key) return undefined;
  const headersEnd = head.indexOf('\r\n\r\n', key.index);
  const headers = head.slice(key.index, headersEnd < 0 ? undefined : headersEnd);
  const keys = [...headers.matchAll(/\r\nsurrogate-key:([^\r\n]*)/gi)].flatMap(([, its = '']) =>
    its.trim().split(/\s+/),
  );
  // The key of the generated configuration: scheme, host and path, separated by blanks.
  return { path: key[1]?.split(' ').at(-1) ?? '', surrogateKeys: keys };
}
