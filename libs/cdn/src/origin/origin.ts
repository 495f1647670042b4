import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CdnRootError } from '../cdn.errors.js';
import { AcceptedCodings, type Coding } from '../http/accept-encoding.js';
import { headerOf } from '../http/conditions.js';
import { encodePath, parseRequestPath } from '../http/request-path.js';
import { LiveReleases } from '../versions/live-releases.js';
import type { Releases } from '../versions/releases.js';
import type { Release } from '../versions/release-folder.js';
import { type ReleaseSizes, sizesOfRelease } from '../versions/release-sizes.js';
import { PolicyTable } from '../policy/policy-table.js';
import { answer, CHANGED, varyOf } from './answer.js';
import { FileLocator, type Located, type LocatedFile } from './file-locator.js';
import {
  failureResponse,
  type OriginRequest,
  type OriginResponse,
  redirectResponse,
} from './origin-response.js';
import { type OriginOptions, type OriginOptionsInput, parseOriginOptions } from './origin.options.js';
import { OriginCounters, type OriginStatistics } from './origin-statistics.js';
import { HeaderBlocks, type Representation } from './representation.js';
import { ResourceStore, type Slot } from './resource-store.js';
import { sendResponse } from './send-response.js';

/** Spellings of targets that lead straight to their resource. */
const MOST_SHORTCUTS = 20_000;
const MOST_TRIES = 3;
const IDENTITY: readonly Coding[] = ['identity'];

/**
 * Serves the files of a folder over HTTP, as RFC 9110 and 9111 want it: negotiation, conditions, ranges, and the caching
 * headers of the policy table. Small files are answered from memory, without a promise and without a look at the disk
 * for `revalidateMs`. Needs no framework; `listener` is for `node:http`, `handle` for everything else.
 */
export class Origin {
  readonly policies: PolicyTable;
  /** The releases of the folder; empty where none was built. */
  readonly releases: LiveReleases;
  readonly #options: OriginOptions;
  readonly #locator: FileLocator;
  readonly #store: ResourceStore;
  readonly #accepted = new AcceptedCodings();
  readonly #counters = new OriginCounters();
  readonly #shortcuts = new Map<string, Slot>();
  readonly #isCompressing: (path: string) => boolean;
  #served: Releases | undefined;

  /**
   * @throws {CdnOptionsError} when the options do not fit the schema
   * @throws {CdnPolicyError} when the policy is unsafe
   */
  constructor(input: OriginOptionsInput) {
    this.#options = parseOriginOptions(input);
    const { policy, compression } = this.#options;
    this.policies = policy instanceof PolicyTable ? policy : new PolicyTable(policy);
    this.releases = new LiveReleases(this.#options.root, this.#options);
    this.#locator = new FileLocator(this.#options);
    this.#store = new ResourceStore(this.#options, new HeaderBlocks(this.#options));
    const { enabled } = compression;
    this.#isCompressing = typeof enabled === 'function' ? enabled : () => enabled;
  }

  /** Under which path of the server the files are. */
  get prefix(): string {
    return this.#options.prefix;
  }

  /**
   * Whether the folder can be served, and its releases read. To be called once, before the first request.
   *
   * @throws {CdnRootError}
   * @throws {CdnManifestError} when a release does not parse; later that keeps the releases from before
   */
  async open(): Promise<this> {
    const { root } = this.#options;
    try {
      await access(root, constants.R_OK | constants.X_OK);
      await readdir(root);
    } catch (cause) {
      throw new CdnRootError(root, { cause });
    }
    await this.releases.open();
    return this;
  }

  /** Figures since the start. */
  statistics(): OriginStatistics {
    return this.#counters.statistics(this.#store.bytes, this.#store.size);
  }

  /** What is in a release of the folder. Reads the disk for each of its files. @throws the error of the file system */
  sizesOf(release: Release): Promise<ReleaseSizes> {
    return sizesOfRelease(this.#options.root, release);
  }

  /** Answers at once when the resource is in memory. */
  handle(request: OriginRequest): OriginResponse | Promise<OriginResponse> {
    const slot = this.#shortcuts.get(request.url);
    const isFresh = slot?.isKept && Date.now() - slot.checkedAtMs < this.#options.revalidateMs;
    if (isFresh && (request.method === 'GET' || request.method === 'HEAD')) {
      slot.isUsed = true;
      const representation = this.#represent(request, slot);
      if (!(representation instanceof Promise) && representation?.file === undefined) {
        const response = this.#answer(request, slot, representation);
        if (!(response instanceof Promise)) {
          this.#counters.countDelivery(response, slot.resource, representation, true);
          return this.#counters.count(response);
        }
      }
    }
    return this.#handleSlowly(request).then((response) => this.#counters.count(response));
  }

  /** For `http.createServer`. */
  readonly listener = (request: IncomingMessage, response: ServerResponse): void =>
    this.respond(request, response);

  /**
   * Answers a request of Node.
   *
   * @param onMissing answers what is not there. @default a 404 of the origin
   */
  respond(request: IncomingMessage, response: ServerResponse, onMissing?: () => void): void {
    const { method = '', url = '/', headers } = request;
    const send = (answer: OriginResponse) =>
      answer.status === 404 && onMissing ? onMissing() : sendResponse(response, answer);
    const answered = this.handle({ method, url, headers });
    if (!(answered instanceof Promise)) return void send(answered);
    answered.then(send).catch((error: Error) => {
      this.#options.onError?.(error);
      if (response.headersSent) response.destroy();
      else return sendResponse(response, failureResponse(500, { method }));
    });
  }

  /** Keeps no more than this share of `memory.maxBytes`, 0 to 1. @returns bytes that were let go of */
  limitMemory(share: number): number {
    return this.#store.limit(share);
  }

  /** Forgets what is in memory; the next requests read it from the disk. */
  clear(): void {
    this.#shortcuts.clear();
    this.#store.clear();
  }

  async #handleSlowly(request: OriginRequest): Promise<OriginResponse> {
    const { method, url } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      return failureResponse(405, { method, headers: ['Allow', 'GET, HEAD'] });
    }
    const parsed = parseRequestPath(url);
    if (parsed === 'malformed') return failureResponse(400, { method });
    if (parsed === 'forbidden') return failureResponse(403, { method });
    const { prefix, otherSpellings } = this.#options;
    const query = parsed.query === '' ? '' : `?${parsed.query}`;
    if (prefix !== '' && parsed.path === prefix) return redirectResponse(301, `${prefix}/${query}`, method);
    if (!parsed.path.startsWith(`${prefix}/`)) return failureResponse(404, { method });
    if (!parsed.isCanonical && otherSpellings === 'redirect') {
      return redirectResponse(308, parsed.canonical + query, method);
    }
    return this.#serve(request, parsed.path.slice(prefix.length), query);
  }

  async #serve(request: OriginRequest, path: string, query: string): Promise<OriginResponse> {
    const { method, url } = request;
    for (let attempt = 1; attempt <= MOST_TRIES; attempt++) {
      try {
        const located = await this.#locator.locate(path, {
          releases: await this.#refresh(),
          version: versionIn(query),
        });
        if (located.kind !== 'file') return this.#withoutFile(located, path, query, method);
        const slot = await this.#load(located.file);
        this.#remember(url, slot);
        const representation = await this.#represent(request, slot);
        const response = await this.#answer(request, slot, representation);
        if (response !== CHANGED) {
          this.#counters.countDelivery(response, slot.resource, representation, false);
          return response;
        }
        this.#store.forget(slot);
      } catch (error) {
        // Gone since it was located: look again.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return this.#unreadable(error, method);
      }
    }
    return failureResponse(503, { method, headers: ['Retry-After', '1'] });
  }

  async #refresh(): Promise<Releases> {
    const releases = await this.releases.refresh();
    // All paths lead to the new release at the same moment.
    if (releases !== this.#served) this.#shortcuts.clear();
    this.#served = releases;
    return releases;
  }

  #load(file: LocatedFile): Promise<Slot> {
    return this.#store.load(file, this.policies.policyFor(file.path, { isHashed: file.isHashed }));
  }

  #represent(
    request: OriginRequest,
    slot: Slot,
  ): Representation | undefined | Promise<Representation | undefined> {
    const { isNegotiable } = slot.resource;
    const accepted = this.#accepted.of(headerOf(request.headers, 'accept-encoding'));
    if (isNegotiable && this.#isCompressing(slot.resource.file.path))
      return this.#store.select(slot, accepted);
    // A client that refuses identity gets it all the same while compression is switched off: nobody could serve it.
    return this.#store.select(slot, accepted.includes('identity') || isNegotiable ? IDENTITY : []);
  }

  #answer(request: OriginRequest, slot: Slot, representation: Representation | undefined) {
    const { method } = request;
    if (!representation) return failureResponse(406, { method, headers: varyOf(slot.resource) });
    const accelerated = this.#accelerated(slot, method);
    return accelerated ?? answer(request, slot.resource, representation, this.#options);
  }

  /** Conditions and ranges are nginx's then, with the validators that it makes. */
  #accelerated(slot: Slot, method: string): OriginResponse | undefined {
    const { accelRedirect } = this.#options;
    const { file, mediaType, policy } = slot.resource;
    if (!accelRedirect || file.sizeBytes < accelRedirect.minBytes) return undefined;
    const location = accelRedirect.location + encodePath(file.path);
    const headers = ['X-Accel-Redirect', location, 'Content-Type', mediaType, ...policy.headers.flat()];
    return {
      status: 200,
      headers: [...headers, 'Content-Length', '0'],
      body: method === 'HEAD' ? undefined : Buffer.alloc(0),
    };
  }

  #withoutFile(
    located: Exclude<Located, { kind: 'file' }>,
    path: string,
    query: string,
    method: string,
  ): OriginResponse {
    if (located.kind === 'folder') {
      return redirectResponse(301, `${this.#options.prefix}${encodePath(path)}/${query}`, method);
    }
    if (located.kind === 'forbidden') return failureResponse(403, { method });
    if (this.policies.isHashedName(path)) this.#counters.missingHashed++;
    return { ...failureResponse(404, { method }), fault: located.fault };
  }

  /** Too many open files, a disk that fails: the client may come again. */
  #unreadable(error: unknown, method: string): OriginResponse {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    this.#counters.readErrors++;
    this.#options.onError?.(error as Error);
    return code === 'EACCES' || code === 'ELOOP'
      ? failureResponse(403, { method })
      : failureResponse(503, { method, headers: ['Retry-After', '1'] });
  }

  #remember(url: string, slot: Slot): void {
    if (this.#shortcuts.size >= MOST_SHORTCUTS) this.#shortcuts.clear();
    // A query is anybody's to invent.
    if (slot.isKept && !url.includes('?')) this.#shortcuts.set(url, slot);
  }
}

function versionIn(query: string): string | undefined {
  return /[?&]v=([0-9a-f]+)(?:&|$)/.exec(query)?.[1];
}
