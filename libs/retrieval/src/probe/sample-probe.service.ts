import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { withQueryPriority } from '@peregrine/query-optimizer';
import { AsyncLocalStorage } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import { CODE_COLUMNS, type CodeRow, CodeRowsBuilder } from '../codes/code-rows.js';
import { type CodeSpace } from '../codes/code-source.js';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { readCatalogueMark } from './catalogue-mark.js';
import { CodeSample } from './code-sample.js';

/** Codes of a sample. */
const SAMPLE_ROWS = 400;
/** Samples that are kept: some 60 kB each. */
const KEPT_SAMPLES = 500;
/** A sample of a space that grew or shrank by this share is no longer one of it. */
const MUCH = 0.2;

interface KeptSample {
  readonly sample: CodeSample;
  readonly drawnAtMs: number;
}

/** Samples of spaces. A query never waits for one: while there is none, it does without. */
@Injectable()
export class SampleProbe implements BeforeApplicationShutdown {
  readonly #kept = new LRUCache<string, KeptSample>({ max: KEPT_SAMPLES });
  readonly #running = new Map<string, Promise<void>>();
  readonly #listeners: ((reason: string) => void)[] = [];
  /** Work in the background belongs to no request: not to its transaction, nor to its trace. */
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #log = new Logger(SampleProbe.name);
  #catalogueMark: string | undefined;
  #lookedAtMs = -Infinity;
  #drawn = 0;

  constructor(
    private readonly transactions: Transactions,
    @Inject(RETRIEVAL_OPTIONS) private readonly options: RetrievalOptions,
  ) {}

  /** While the pool is open. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /** Samples that were drawn since the start. */
  get drawn(): number {
    return this.#drawn;
  }

  /** Calls back when a space has changed much, or the tables' indexes or statistics have. */
  onChange(listener: (reason: string) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * The sample of a space, which may be somewhat old; undefined while there is none. Has a new one drawn in the background when the
   * workspace was written to and the sample is older than `sampleMaxAgeMs`, or the space is known to have another size.
   *
   * @param knownSize chunks in the space, if somebody knows
   */
  sample(space: CodeSpace, version: string, knownSize?: number): CodeSample | undefined {
    this.#lookFromTimeToTime();
    const key = `${space.workspaceId} ${space.embedder}`;
    const kept = this.#kept.get(key);
    if (!kept || this.#isOld(kept, version, knownSize)) this.#draw(key, space, version);
    return kept?.sample;
  }

  #isOld({ sample, drawnAtMs }: KeptSample, version: string, knownSize = sample.size): boolean {
    if (sample.version === version) return false;
    const isStale = performance.now() - drawnAtMs > this.options.sampleMaxAgeMs;
    return isStale || hasChangedMuch(sample.size, knownSize);
  }

  #draw(key: string, space: CodeSpace, version: string): void {
    this.#inBackground(key, async () => this.#keep(key, await this.#read(space, version)));
  }

  #keep(key: string, sample: CodeSample): void {
    const before = this.#kept.peek(key)?.sample;
    this.#kept.set(key, { sample, drawnAtMs: performance.now() });
    this.#drawn++;
    if (before && hasChangedMuch(before.size, sample.size)) this.#tell('the data has changed much');
  }

  async #read(space: CodeSpace, version: string): Promise<CodeSample> {
    const { manager } = this.transactions;
    const where = 'FROM retrieval_codes c WHERE c.workspace_id = $1 AND c.embedder = $2';
    const parameters = [space.workspaceId, space.embedder];
    const [counted] = await manager.query<{ size: number }[]>(
      `SELECT count(*)::integer AS size ${where}`,
      parameters,
    );
    // Any order that has nothing to do with what the chunks are is a random one.
    const rows = await manager.query<CodeRow[]>(
      `SELECT ${CODE_COLUMNS} ${where} ORDER BY uuid_hash(c.chunk_id), c.chunk_id LIMIT ${SAMPLE_ROWS}`,
      parameters,
    );
    const builder = new CodeRowsBuilder();
    builder.add(rows);
    return new CodeSample(version, counted?.size ?? 0, builder.build());
  }

  #lookFromTimeToTime(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < this.options.sampleMaxAgeMs) return;
    this.#lookedAtMs = nowMs;
    this.#inBackground('catalogue', async () => {
      const mark = await readCatalogueMark(this.transactions.manager);
      if (this.#catalogueMark !== undefined && this.#catalogueMark !== mark) {
        this.#tell('indexes or statistics have changed');
      }
      this.#catalogueMark = mark;
    });
  }

  /** One of a kind at a time; after all that is urgent. */
  #inBackground(key: string, work: () => Promise<void>): void {
    if (this.#running.has(key)) return;
    const running = this.#outside(() => withQueryPriority('low', work))
      .catch((error: unknown) => this.#log.warn(`A sample was not renewed: ${String(error)}`))
      .finally(() => this.#running.delete(key));
    this.#running.set(key, running);
  }

  #tell(reason: string): void {
    for (const listener of this.#listeners) listener(reason);
  }
}

function hasChangedMuch(before: number, after: number): boolean {
  return Math.abs(after - before) > MUCH * Math.max(before, 1);
}
