import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { withQueryPriority } from '@peregrine/query-optimizer';
import { AsyncLocalStorage } from 'node:async_hooks';
import { CodesTooLargeError } from '../retrieval.errors.js';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { CODE_COLUMNS, type CodeRow, type CodeRows, CodeRowsBuilder } from './code-rows.js';
import { type CodeSource, type CodeSpace } from './code-source.js';
import { CodeThread } from './code-thread.js';
import { ResidentSpace } from './resident-space.js';

/** Rows a fetch: few enough that reading them holds nobody up. */
const PAGE_ROWS = 500;

/**
 * Codes in memory that a thread shares, for one version of a workspace. The version is read before the codes, and compared at every
 * query: a write of any process is seen by the next one.
 */
@Injectable()
export class ResidentCodes implements BeforeApplicationShutdown {
  readonly #spaces = new Map<string, ResidentSpace>();
  readonly #loads = new Map<string, Promise<ResidentSpace>>();
  /** Spaces that `warm` does not try again. */
  readonly #tooLarge = new Set<string>();
  /** Work in the background belongs to no request: not to its transaction, nor to its trace. */
  readonly #outside = AsyncLocalStorage.snapshot();
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

  /** Chunks whose codes are in memory, and their bytes. */
  get figures(): { readonly chunks: number; readonly sizeBytes: number } {
    const spaces = [...this.#spaces.values()];
    const sum = (of: (it: ResidentSpace) => number) => spaces.reduce((total, it) => total + of(it), 0);
    return { chunks: sum((it) => it.size), sizeBytes: sum((it) => it.sizeBytes) };
  }

  /** What is in memory of a version; undefined when nothing is. */
  peek(space: CodeSpace, version: string | undefined): ResidentSpace | undefined {
    const kept = this.#spaces.get(keyOf(space));
    return kept && kept.version === version ? kept : undefined;
  }

  /**
   * The codes of a version, which was read before; loads them when they are not there.
   *
   * @param version undefined inside a transaction: what it sees is nobody else's, so that nothing is kept
   * @throws {CodesTooLargeError}
   */
  async open(space: CodeSpace, version: string | undefined, probe: Uint32Array): Promise<CodeSource> {
    const resident = this.peek(space, version) ?? (await this.#load(space, version));
    return { nearest: (request) => resident.nearest(probe, request) };
  }

  /** Loads the codes for later queries, if they fit. Others come first. */
  warm(space: CodeSpace, version: string): void {
    if (this.#tooLarge.has(keyOf(space)) || this.#loads.has(keyOf(space))) return;
    this.#outside(() => withQueryPriority('low', () => this.#load(space, version))).catch(
      (error: unknown) => {
        if (error instanceof CodesTooLargeError) this.#tooLarge.add(keyOf(space));
        this.#log.warn(`Codes are not kept in memory: ${String(error)}`);
      },
    );
  }

  async #load(space: CodeSpace, version: string | undefined): Promise<ResidentSpace> {
    if (version === undefined) return new ResidentSpace('', await this.#read(space), this.#thread);
    const key = keyOf(space);
    const running = this.#loads.get(key);
    // One after the other: what is loaded may be of an older version than is wanted.
    if (running) {
      await running;
      return this.peek(space, version) ?? this.#load(space, version);
    }
    const load = this.#read(space)
      .then((rows) => new ResidentSpace(version, rows, this.#thread))
      .finally(() => this.#loads.delete(key));
    this.#loads.set(key, load);
    const resident = await load;
    this.#keep(space, resident);
    return resident;
  }

  /** By a cursor: sorted once, and sent in pages. */
  #read(space: CodeSpace): Promise<CodeRows> {
    return this.transactions.run(async (manager) => {
      const builder = new CodeRowsBuilder();
      await manager.query(
        `DECLARE retrieval_codes_to_keep NO SCROLL CURSOR FOR SELECT ${CODE_COLUMNS} FROM retrieval_codes c
          WHERE c.workspace_id = $1 AND c.embedder = $2 ORDER BY c.chunk_id`,
        [space.workspaceId, space.embedder],
      );
      for (let rows = PAGE_ROWS; rows === PAGE_ROWS;) {
        const page: CodeRow[] = await manager.query(`FETCH ${PAGE_ROWS} FROM retrieval_codes_to_keep`);
        builder.add(page);
        rows = page.length;
        if (builder.size > this.options.maxResidentChunks) {
          throw new CodesTooLargeError(space.workspaceId, this.options.maxResidentChunks);
        }
      }
      await manager.query('CLOSE retrieval_codes_to_keep');
      return builder.build();
    });
  }

  /** The newest at the end; those that were loaded longest ago go until all fit. */
  #keep(space: CodeSpace, resident: ResidentSpace): void {
    this.#spaces.delete(keyOf(space));
    this.#spaces.set(keyOf(space), resident);
    let { chunks } = this.figures;
    for (const [key, { size }] of this.#spaces) {
      if (chunks <= this.options.maxResidentChunks) return;
      this.#spaces.delete(key);
      chunks -= size;
    }
  }
}

function keyOf({ workspaceId, embedder }: CodeSpace): string {
  return `${workspaceId} ${embedder}`;
}
