import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { CODE_WORDS, readBits } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { currentVersion } from '../chunks/workspace-version.js';
import { CodesTooLargeError } from '../retrieval.errors.js';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { type ChunkFilter, filterCondition } from '../search/chunk-filter.js';
import { type Candidate, type CodeRequest, type CodeSource, type CodeSpace } from './code-source.js';
import { CodeThread } from './code-thread.js';

const PAGE_ROWS = 10_000;
/** What passes a filter is kept for so many filters of a workspace. */
const KEPT_FILTERS = 64;

/** The codes of a space, as they were at a version. */
interface Resident {
  readonly version: string;
  /** In order; a place is an index of it. */
  readonly ids: readonly string[];
  readonly codes: Uint32Array;
  /** Places that pass, by filter. */
  readonly filters: Map<string, Promise<readonly number[]>>;
}

/**
 * Codes in memory that a thread shares, for one version of a workspace. The version is read before the codes, and compared at every
 * query: a write of any process is seen by the next one.
 */
@Injectable()
export class ResidentCodes implements BeforeApplicationShutdown {
  readonly #residents = new Map<string, Resident>();
  readonly #loads = new Map<string, Promise<Resident>>();
  /** Spaces that `warm` does not try again. */
  readonly #tooLarge = new Set<string>();
  readonly #log = new Logger(ResidentCodes.name);
  readonly #thread: CodeThread;

  constructor(
    private readonly transactions: Transactions,
    @Inject(RETRIEVAL_OPTIONS) private readonly options: RetrievalOptions,
  ) {
    this.#thread = new CodeThread(options.codeProgram);
  }

  /** While the pool is open: a load that is under way needs it. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.#loads.values());
    await this.#thread.close();
  }

  /** Whether a query would find the codes of the present version in memory. */
  async isCurrent(space: CodeSpace): Promise<boolean> {
    const version = await currentVersion(this.transactions.manager, space.workspaceId);
    return this.#residents.get(keyOf(space))?.version === version;
  }

  /**
   * The codes of the present version; loads them when they are not there.
   *
   * @throws {CodesTooLargeError}
   */
  async open(space: CodeSpace, probe: Uint32Array): Promise<CodeSource> {
    const version = await currentVersion(this.transactions.manager, space.workspaceId);
    const kept = this.#residents.get(keyOf(space));
    const resident = kept?.version === version ? kept : await this.#load(space, version);
    return { nearest: (request) => this.#nearest(space, resident, probe, request) };
  }

  /** Loads the codes for later queries, if they fit. */
  warm(space: CodeSpace): void {
    if (this.#tooLarge.has(keyOf(space))) return;
    currentVersion(this.transactions.manager, space.workspaceId)
      .then((version) => this.#load(space, version))
      .catch((error: unknown) => {
        if (error instanceof CodesTooLargeError) this.#tooLarge.add(keyOf(space));
        this.#log.warn(`Codes are not kept in memory: ${String(error)}`);
      });
  }

  async #load(space: CodeSpace, version: string): Promise<Resident> {
    const key = `${keyOf(space)} ${version}`;
    const running = this.#loads.get(key);
    if (running) return running;
    const load = this.#read(space, version).finally(() => this.#loads.delete(key));
    this.#loads.set(key, load);
    const resident = await load;
    this.#keep(space, resident);
    return resident;
  }

  async #read(space: CodeSpace, version: string): Promise<Resident> {
    const ids: string[] = [];
    const pages: Uint32Array[] = [];
    for (let last: string | null = null, rows = PAGE_ROWS; rows === PAGE_ROWS; last = ids.at(-1) ?? null) {
      const page: { id: string; code: string }[] = await this.transactions.manager.query(
        `SELECT c.chunk_id AS id, c.code::text AS code FROM retrieval_codes c
          WHERE c.workspace_id = $1 AND c.embedder = $2 AND ($3::uuid IS NULL OR c.chunk_id > $3)
          ORDER BY c.chunk_id LIMIT ${PAGE_ROWS}`,
        [space.workspaceId, space.embedder, last],
      );
      rows = page.length;
      const words = new Uint32Array(rows * CODE_WORDS);
      page.forEach(({ id, code }, at) => {
        ids.push(id);
        readBits(code, words, at * CODE_WORDS);
      });
      pages.push(words);
      if (ids.length > this.options.maxResidentChunks) {
        throw new CodesTooLargeError(space.workspaceId, this.options.maxResidentChunks);
      }
    }
    const codes = new Uint32Array(new SharedArrayBuffer(ids.length * CODE_WORDS * 4));
    pages.forEach((words, at) => codes.set(words, at * PAGE_ROWS * CODE_WORDS));
    return { version, ids, codes, filters: new Map() };
  }

  /** The newest at the end; those that were loaded longest ago go until all fit. */
  #keep(space: CodeSpace, resident: Resident): void {
    this.#residents.delete(keyOf(space));
    this.#residents.set(keyOf(space), resident);
    let count = [...this.#residents.values()].reduce((sum, it) => sum + it.ids.length, 0);
    for (const [key, { ids }] of this.#residents) {
      if (count <= this.options.maxResidentChunks) return;
      this.#residents.delete(key);
      count -= ids.length;
    }
  }

  async #nearest(
    space: CodeSpace,
    resident: Resident,
    probe: Uint32Array,
    { filter, only, maxDistance, after, limit }: CodeRequest,
  ): Promise<Candidate[]> {
    const passing = await this.#passing(space, resident, filter);
    const { places, distances } = await this.#thread.scan({
      ...{ codes: resident.codes, probe, maxDistance, limit },
      mask: maskOf(resident.ids, passing, only),
      after: after && { distance: after.distance, place: lastPlaceUpTo(resident.ids, after.chunkId) },
    });
    return Array.from(places, (place, at) => ({
      chunkId: resident.ids[place] ?? '',
      distance: distances[at] ?? 0,
    }));
  }

  /** The places that pass a filter; undefined when all do. */
  async #passing(
    space: CodeSpace,
    { ids, filters }: Resident,
    filter: ChunkFilter,
  ): Promise<readonly number[] | undefined> {
    const condition = filterCondition(filter, 3);
    if (condition.parameters.length === 0) return undefined;
    const key = JSON.stringify([condition.sql, condition.parameters]);
    const kept = filters.get(key);
    if (kept) return kept;
    const oldest = filters.keys().next().value;
    if (oldest !== undefined && filters.size >= KEPT_FILTERS) filters.delete(oldest);
    const places = this.transactions.manager
      .query<{ id: string }[]>(
        `SELECT c.chunk_id AS id FROM retrieval_codes c WHERE c.workspace_id = $1 AND c.embedder = $2${condition.sql}`,
        [space.workspaceId, space.embedder, ...condition.parameters],
      )
      .then((rows) => rows.flatMap(({ id }) => placeOf(ids, id) ?? []));
    filters.set(key, places);
    // A statement that failed is asked again.
    places.catch(() => filters.delete(key));
    return places;
  }
}

function keyOf({ workspaceId, embedder }: CodeSpace): string {
  return `${workspaceId} ${embedder}`;
}

function maskOf(
  ids: readonly string[],
  passing: readonly number[] | undefined,
  only: readonly string[] | undefined,
): Uint8Array | undefined {
  if (!passing && !only) return undefined;
  const mask = new Uint8Array(ids.length);
  const chosen = only?.flatMap((id) => placeOf(ids, id) ?? []);
  for (const place of passing ?? chosen ?? []) mask[place] = 1;
  if (!passing || !chosen) return mask;
  const both = new Uint8Array(ids.length);
  for (const place of chosen) both[place] = mask[place] ?? 0;
  return both;
}

function placeOf(ids: readonly string[], id: string): number | undefined {
  const place = lastPlaceUpTo(ids, id);
  return ids[place] === id ? place : undefined;
}

/** The last place whose id is not after `id`, -1 when there is none. */
function lastPlaceUpTo(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? '') <= id) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
